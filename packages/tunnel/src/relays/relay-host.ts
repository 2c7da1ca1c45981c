import type { Logger } from '@sallyport/core'
import type { RelayArrival, RelayHost, RemoteRelay } from '../gateway/relay-session.js'
import type { Registration, RelayDescription, RelayReport } from './registration.js'
import type { SteeredRelay } from './steered-relay.js'
import type { Steering } from './steering.js'

/** The relays that come to this instance and go, with their rows in the database. */
export interface RelayDesk extends RelayHost {
  /** The relay of this process. Resolves when it has its state. */
  begin(relay: SteeredRelay, description: RelayDescription): Promise<void>
  /** Writes loads, and makes good what the database has wrongly. To be called regularly. */
  refresh(): Promise<void>
  /** Lets go of all; resolves when what is under way has ended. */
  stop(): Promise<void>
}

interface RelayDeskOptions {
  readonly registration: Registration
  readonly steering: Steering
  readonly logger: Logger
  /** The row has changed. */
  readonly onChanged: (relayId: string) => void
  /** Loads were written that are others than before. */
  readonly onLoads: () => void
  /** A stand-alone one is written down. Never rejects, and is not waited for. */
  readonly onArrived: (relay: RelayDescription) => Promise<void>
}

interface Known {
  readonly relay: SteeredRelay
  readonly description: RelayDescription
  /** Of a stand-alone one. */
  readonly remote?: RemoteRelay
  off(): void
}

export function createRelayDesk(options: RelayDeskOptions): RelayDesk {
  const { registration, steering, logger, onChanged, onLoads, onArrived } = options
  const known = new Map<string, Known>()
  /** What is under way for a relay: one thing after the other. */
  const lines = new Map<string, Promise<unknown>>()
  let writtenLoads = ''
  let stopped = false

  const inLine = <T>(relayId: string, work: () => Promise<T>): Promise<T> => {
    const before = lines.get(relayId) ?? Promise.resolve()
    const run = before.then(work, work)
    const ended = run
      .catch(() => undefined)
      .finally(() => {
        if (lines.get(relayId) === ended) lines.delete(relayId)
      })
    lines.set(relayId, ended)
    return run
  }

  const part = async (one: Known): Promise<void> => {
    const { id } = one.relay
    one.off()
    if (known.get(id) === one) known.delete(id)
    if (!(await steering.release(one.relay))) return
    try {
      await registration.unregister(id)
    } catch (error) {
      // The instance's lease runs out, or the next channel writes it anew.
      logger.warn({ err: error, relayId: id }, 'it could not be written down that a relay went')
    }
    onChanged(id)
  }

  const refresh = async (): Promise<void> => {
    const reports = new Map<string, RelayReport>()
    for (const [id, { relay, remote }] of known) {
      reports.set(id, { ...relay.load(), clockOffsetMs: remote?.clockOffsetMs ?? 0 })
    }
    const mine = await registration.refresh(reports)
    const loads = JSON.stringify([...reports].map(([id, { devices, connections }]) => [id, devices, connections]))
    if (loads !== writtenLoads) onLoads()
    writtenLoads = loads
    for (const id of reports.keys()) {
      if (mine.has(id)) continue
      await inLine(id, async () => {
        const one = known.get(id)
        // A newer channel of it may be elsewhere: then this one is about to be closed.
        if (!one || (await registration.isHeld(id))) return
        await registration.register(one.description)
        onChanged(id)
      })
    }
  }

  return {
    async begin(relay, description) {
      await inLine(relay.id, async () => {
        await registration.register(description)
        known.set(relay.id, { relay, description, off: () => undefined })
        await steering.take(relay, 'embedded')
      })
      onChanged(relay.id)
    },

    async arrive(arrival) {
      const { remote } = arrival
      if (stopped) throw new Error('no more relays are taken')
      const description = describe(arrival)
      const taken = await inLine(remote.id, async () => {
        if (!(await registration.register(description))) return false
        const wasDraining = { now: remote.load().draining }
        const off = remote.onLoad(({ draining }) => {
          if (draining === wasDraining.now) return
          wasDraining.now = draining
          void refresh()
            .then(() => onChanged(remote.id))
            .catch((error: unknown) => logger.warn({ err: error, relayId: remote.id }, 'a load could not be written'))
        })
        known.set(remote.id, { relay: remote, description, remote, off })
        await steering.take(remote, 'standalone')
        return true
      })
      if (!taken) return { taken: false, error: 'device_unknown', detail: 'the device of this relay is gone' }
      logger.info({ relayId: remote.id, host: description.host }, 'a relay is here')
      onChanged(remote.id)
      void onArrived(description)
      return { taken: true }
    },

    leave(remote) {
      const one = known.get(remote.id)
      void inLine(remote.id, async () => {
        const mine = one?.relay === remote ? one : undefined
        if (!mine) return
        await part(mine)
        logger.info({ relayId: remote.id }, 'a relay went')
      }).catch((error: unknown) => logger.error({ err: error, relayId: remote.id }, 'a relay could not be let go'))
    },

    refresh,

    async stop() {
      stopped = true
      await Promise.all([...lines.values()])
      await Promise.all([...known.values()].map((one) => inLine(one.relay.id, () => part(one))))
    },
  }
}

function describe({ remote, hello, version }: RelayArrival): RelayDescription {
  return {
    id: remote.id,
    kind: 'standalone',
    host: hello.publicHost,
    dataPort: hello.dataPort,
    fingerprint: hello.fingerprint,
    encryption: hello.encryption ?? 'tls',
    hostGroup: hello.hostGroup,
    region: hello.region,
    labels: hello.labels,
    capacity: hello.capacity,
    portRange: hello.portRange,
    ticketKey: Buffer.from(hello.ticketKey, 'base64url'),
    clockOffsetMs: remote.clockOffsetMs,
    version,
  }
}
