import type { Disposer, Logger, Sql } from '@sallyport/core'
import { within } from '../within.js'
import { createRelayStatusWriter, type Served } from './relay-status.js'
import { createRelaySync, type RelaySync } from './relay-sync.js'
import { createRelayView, type RelayView } from './relay-view.js'
import type { SteeredRelay } from './steered-relay.js'

/** A relay that this instance steers, with what it is at. */
export interface Steered {
  readonly relay: SteeredRelay
  readonly view: RelayView
  readonly kind: 'embedded' | 'standalone'
}

/** Which allocations are meant; what is left out is not narrowed. */
export interface SyncScope {
  readonly deviceIds?: readonly string[]
  readonly relayIds?: readonly string[]
}

/** The relays that this instance steers, each kept at what the database wants. */
export interface Steering {
  /** In place of an older one of the same id. Resolves when an embedded one has its state; a stand-alone one is not waited for. */
  take(relay: SteeredRelay, kind: Steered['kind']): Promise<void>
  /** Gives whether it was steered: one that was replaced is not. */
  release(relay: SteeredRelay): Promise<boolean>
  get(relayId: string): Steered | undefined
  all(): IterableIterator<Steered>
  /** Resolves when the relays have what the database had at the call; of a stand-alone one at most 2 s later. Never rejects. */
  sync(scope?: SyncScope): Promise<void>
  stop(): Promise<void>
}

interface SteeringOptions {
  readonly sql: Sql
  readonly logger: Logger
  readonly enabled: () => boolean
  /** A relay began to be steered; what is returned is run, and waited for, when that ends. */
  readonly onTake: (steered: Steered) => Disposer
  /** Written to the database; `late`: not because a change was just told to the relay. */
  readonly onServed: (served: readonly Served[], late: boolean) => void
}

interface Held extends Steered {
  readonly sync: RelaySync
  end(): Promise<void>
}

/** Longest that a change waits for a relay that is far away. */
const farWaitMs = 2_000

export function createSteering({ sql, logger, enabled, onTake, onServed }: SteeringOptions): Steering {
  const held = new Map<string, Held>()

  const hold = (relay: SteeredRelay, kind: Steered['kind']): Held => {
    const view = createRelayView()
    const status = createRelayStatusWriter({
      sql,
      relayId: relay.id,
      view,
      logger,
      enabled,
      onWritten: (served) => onServed(served, true),
    })
    const sync = createRelaySync({
      sql,
      relay,
      view,
      logger,
      enabled,
      async onTold({ state, deviceIds, gone }) {
        const written = await status.write(deviceIds && state.allocations.map(({ allocation }) => allocation.id))
        const left = gone.map(({ id, deviceId }): Served => ({ id, deviceId, status: 'removed' }))
        onServed([...written, ...left], false)
      },
    })
    const off = relay.on('allocation', ({ allocationId, status: condition, error }) => {
      view.note(allocationId, condition, error)
      const noted = view.get(allocationId)
      // What comes while a change is on its way to the relay is written with that.
      if (noted && condition !== 'starting') status.mark(allocationId)
    })
    const ended = onTake({ relay, view, kind })
    return {
      relay,
      view,
      kind,
      sync,
      async end() {
        off()
        await Promise.all([sync.stop(), status.stop()])
        await ended()
      },
    }
  }

  const follow = async (one: Held, deviceIds: readonly string[] | undefined): Promise<void> => {
    const synced = one.sync.sync(deviceIds)
    await (one.kind === 'embedded' ? synced : within(farWaitMs, synced))
  }

  const release: Steering['release'] = async (relay) => {
    const one = held.get(relay.id)
    if (one?.relay !== relay) return false
    held.delete(relay.id)
    await one.end()
    return true
  }

  return {
    async take(relay, kind) {
      const older = held.get(relay.id)
      if (older) await release(older.relay)
      const one = hold(relay, kind)
      held.set(relay.id, one)
      const synced = one.sync.sync()
      if (kind === 'embedded') await synced
    },
    release,
    get: (relayId) => held.get(relayId),
    all: () => held.values(),
    async sync({ deviceIds, relayIds } = {}) {
      const named = relayIds && new Set(relayIds)
      const concerned = [...held.values()].filter(({ relay }) => !named || named.has(relay.id))
      await Promise.all(concerned.map((one) => follow(one, deviceIds)))
    },
    async stop() {
      await Promise.all([...held.values()].map(({ relay }) => release(relay)))
    },
  }
}
