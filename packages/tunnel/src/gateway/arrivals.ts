import { coreErrors, isDatabaseUnavailable, type Logger } from '@sallyport/core'
import { CONTROL_PROTOCOL, ControlCloseCode, type HelloMessage } from '@sallyport/relay'
import { createBatched } from '../batched.js'
import type { RelayAdmission } from './admission-questions.js'
import { AgentPeer, type AgentRequests } from './agent-peer.js'
import type { ControlSession, EndReason } from './control-session.js'
import type { ConnectedDevice, Newcomer, Presence } from './presence.js'
import type { RelayHost } from './relay-session.js'
import { RelayPeer } from './remote-relay.js'

/** From `hello` to `welcome`. */
export interface Arrivals {
  /** Never rejects. */
  admit(session: ControlSession, hello: HelloMessage): Promise<void>
  /** How many are under way. */
  readonly size: number
}

interface ArrivalOptions {
  readonly presence: Presence
  readonly logger: Logger
  readonly heartbeatMs: number
  readonly requests: AgentRequests
  readonly relayHost: RelayHost | undefined
  readonly admission: RelayAdmission | undefined
  /** Devices that another instance had until now. */
  readonly cameFromElsewhere: (devices: readonly ConnectedDevice[]) => void
  /** An agent has been welcomed. */
  readonly welcomed: (session: ControlSession) => void
}

export const revoked: EndReason = { error: 'revoked', detail: 'the device or its token is gone' }
export const replaced: EndReason = { error: 'replaced', detail: 'a newer connection of this device took over' }
/** RFC 6455 section 7.4.1 and the IANA registry: something failed here; try again. */
const internalErrorCode = 1011
const maxBatch = 256
const concurrency = 2
/** Upgrades are refused long before (`upgrade-line.ts`). */
const maxWaiting = 20_000
const waitTimeoutMs = 15_000
const unprintable = /[^\x20-\x7e]/g

export function createArrivals(options: ArrivalOptions): Arrivals {
  const { presence, logger, relayHost, admission } = options

  let underWay = 0
  const batches = createBatched<Newcomer, ConnectedDevice | undefined>({
    async work(newcomers) {
      const devices = await presence.connected(newcomers)
      const moved = devices.filter((device) => device?.wasElsewhere === true)
      if (moved.length > 0) options.cameFromElsewhere(moved as ConnectedDevice[])
      return devices
    },
    maxBatch,
    concurrency,
    maxWaiting,
    waitTimeoutMs,
    // Such as a deadlock with somebody who removes several devices. Without a database there is no use in that.
    mayBePoison: (error) => !isDatabaseUnavailable(error),
    busy: () => coreErrors.UNAVAILABLE({ reason: 'Too many devices wait to be welcomed' }),
  })

  const welcome = (session: ControlSession, { id, name }: ConnectedDevice, asked?: RelayAdmission): void => {
    session.send({
      type: 'welcome',
      protocol: CONTROL_PROTOCOL,
      deviceId: id,
      name,
      heartbeatMs: options.heartbeatMs,
      ...(asked ? { admission: { timeoutMs: asked.timeoutMs, otherwise: asked.otherwise } } : {}),
    })
  }

  const admitRelay = async (session: ControlSession, hello: HelloMessage, device: ConnectedDevice): Promise<void> => {
    if (!hello.relay) return
    if (!relayHost) {
      session.refuse('relays_unsupported', 'this panel takes no stand-alone relays')
      return
    }
    const relay = new RelayPeer({ session, hello: hello.relay, logger, admission })
    const reception = await relayHost.arrive({
      remote: relay,
      hello: hello.relay,
      version: hello.version,
      device: { id: device.id, name: device.name, organisationId: device.organisationId, tokenId: session.tokenId },
    })
    if (!reception.taken) {
      session.refuse(reception.error, reception.detail)
      return
    }
    const leave = (): void => {
      relay.ended()
      relayHost.leave(relay)
    }
    welcome(session, device, admission)
    // Meanwhile, or just now.
    if (session.hasEnded) {
      leave()
      return
    }
    session.open({ receive: (text) => relay.receive(text), ended: leave })
    relay.opened()
  }

  const admitAgent = (session: ControlSession, device: ConnectedDevice): void => {
    welcome(session, device)
    session.open(new AgentPeer(session, options.requests))
    options.welcomed(session)
  }

  return {
    async admit(session, hello) {
      const { id, deviceId, tokenId } = session
      underWay += 1
      try {
        // The database takes no half of a pair of surrogates, and one such hello would spoil those that go with it.
        const version = hello.version.replace(unprintable, '?')
        const platform = hello.platform.replace(unprintable, '?')
        const device = await batches.run({ id, deviceId, tokenId, version, platform })
        if (!device) {
          session.close(ControlCloseCode.revoked, revoked)
          return
        }
        session.number = device.sessionNumber
        if (session.hasEnded) return
        if (session.newestNumber > device.sessionNumber) session.close(ControlCloseCode.replaced, replaced)
        else if (hello.relay) await admitRelay(session, hello, device)
        else admitAgent(session, device)
      } catch (error) {
        logger.error({ err: error, deviceId }, 'a device could not be welcomed')
        session.close(internalErrorCode)
      } finally {
        underWay -= 1
      }
    },
    get size() {
      return underWay
    },
  }
}
