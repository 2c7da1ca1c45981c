import type { IncomingMessage } from 'node:http'
import {
  coreErrors,
  type Disposer,
  type Events,
  type Features,
  type Logger,
  type TokenIssuer,
  type UpgradeContext,
} from '@sallyport/core'
import { ControlCloseCode, type HelloMessage, type StateMessage } from '@sallyport/relay'
import { bearerToken } from '../bearer.js'
import type { GatewayConfig } from '../config.js'
import type { DevicePrincipal } from '../devices/device-strategy.js'
import { channelsReplaced } from '../events.js'
import { createKeyedBatches, type KeyedBatches } from '../keyed-batches.js'
import { createTracked } from '../tracked.js'
import type { RelayAdmission } from './admission-questions.js'
import { createArrivals, replaced, revoked } from './arrivals.js'
import { refuseBadHandshakes } from './bad-handshakes.js'
import { ControlSession, type SessionDevice } from './control-session.js'
import { type ControlSocket, createControlSocketServer } from './control-socket.js'
import { watchHeartbeats } from './heartbeats.js'
import type { ConnectedDevice, Presence } from './presence.js'
import { checkPresence } from './presence-check.js'
import { createRefusals } from './refused-upgrades.js'
import type { RelayHost } from './relay-session.js'
import { createStatePushes } from './state-pushes.js'
import type { TargetErrors } from './target-errors.js'
import { createUpgradeLine } from './upgrade-line.js'

/** The control channels of this instance: one for each device, the newest wins. */
export interface Gateway {
  /** For upgrades, before their token is looked at. Throws `CORE_ERR_UNAVAILABLE` (503) when too much is under way. */
  guard(request: IncomingMessage): void
  /** Takes an upgrade over. A bad token is accepted and closed with 4401, so that the agent can tell it from an outage. */
  upgrade(context: UpgradeContext): void
  isOnline(deviceId: string): boolean
  count(): number
  /** Sends a connected device its state; several calls in a row send the last one. */
  pushState(deviceId: string): void
  /** Sends every connected device its state: changes may have been missed. */
  pushAll(): void
  /** Closes the device's channel with 4403. */
  revoke(deviceId: string): void
  /** Closes all channels: tunnels were switched off. Agents wait and come back. */
  switchOff(): void
  /** Cuts devices whose token died or that are connected elsewhere without this instance being told; heals what is written wrongly. */
  refresh(): Promise<void>
  /** Follows the other instances: older channels of devices that come to them are closed with 4409. */
  listen(): Disposer
  /** Closes all with 1001, takes no more, resolves when they are gone. */
  stop(): Promise<void>
}

interface GatewayOptions {
  readonly issuer: TokenIssuer
  readonly features: Features
  readonly events: Events
  readonly presence: Presence
  readonly logger: Logger
  readonly config: GatewayConfig
  readonly readStates: (deviceIds: readonly string[]) => Promise<ReadonlyMap<string, StateMessage>>
  readonly issueTicket: (relayId: string, deviceId: string) => string | undefined | Promise<string | undefined>
  /** Cuts what the device holds open at the relay, and ends its tickets. */
  readonly endLink: (deviceId: string) => void
  readonly targetErrors: KeyedBatches<TargetErrors>
  /** Steers stand-alone relays; without it they are refused. */
  readonly relayHost?: RelayHost
  /** Decides about players of stand-alone relays; without it everybody is let in. */
  readonly admission?: RelayAdmission
}

const retryAfterSeconds = 5

export function createGateway(options: GatewayOptions): Gateway {
  const { issuer, features, events, presence, logger, config } = options
  const server = createControlSocketServer()
  const handshakes = refuseBadHandshakes(server)
  const refusals = createRefusals(server)
  /** Every session whose socket is not gone. */
  const sessions = new Set<ControlSession>()
  /** Those that have not said hello, one for each device. */
  const waiting = new Map<string, ControlSession>()
  const connections = new Map<string, ControlSession>()
  /** What is being done for a device; its next session waits for that. */
  const underWay = new Map<string, Promise<void>>()
  const background = createTracked()
  let stopping: Promise<void> | undefined
  let allGone: (() => void) | undefined

  const open = (deviceId: string): ControlSession | undefined => {
    const session = connections.get(deviceId)
    return session?.isOpen ? session : undefined
  }

  const pushes = createStatePushes(options.readStates, open, logger)
  /** By session, with the device. */
  const goodbyes = createKeyedBatches<string>({
    what: 'writing that devices are gone',
    logger,
    async run(batch) {
      await presence.disconnected([...batch].map(([id, deviceId]) => ({ id, deviceId })))
    },
  })

  const cameFromElsewhere = (devices: readonly ConnectedDevice[]): void => {
    const channels = devices.map(({ id, sessionNumber }) => ({ deviceId: id, sessionNumber }))
    const told = events.emit(channelsReplaced, { channels }).catch((error: unknown) => {
      logger.warn({ err: error }, 'the other instances could not be told of newer channels')
    })
    background.add(told)
  }

  const arrivals = createArrivals({
    presence,
    logger,
    heartbeatMs: config.heartbeatMs,
    relayHost: options.relayHost,
    admission: options.admission,
    cameFromElsewhere,
    requests: {
      issueTicket: options.issueTicket,
      setTargetErrors: (deviceId, errors) => options.targetErrors.set(deviceId, errors),
      failed: ({ deviceId }, error) => logger.error({ err: error, deviceId }, 'a ticket could not be issued'),
    },
    welcomed: ({ deviceId }) => pushes.set(deviceId, true),
  })

  /** One after the other for each device: the older one's end never comes after the newer one's beginning. */
  const inTurn = (deviceId: string, work: () => Promise<void>): void => {
    const before = underWay.get(deviceId)
    const mine = (before ? before.then(work) : work()).finally(() => {
      if (underWay.get(deviceId) === mine) underWay.delete(deviceId)
    })
    underWay.set(deviceId, mine)
    background.add(mine)
  }

  const host = {
    logger,
    heartbeatMs: config.heartbeatMs,
    onHello(session: ControlSession, hello: HelloMessage): void {
      const { deviceId } = session
      waiting.delete(deviceId)
      const older = connections.get(deviceId)
      connections.set(deviceId, session)
      older?.close(ControlCloseCode.replaced, replaced)
      inTurn(deviceId, () => arrivals.admit(session, hello))
    },
    onEnd(session: ControlSession): void {
      const { id, deviceId } = session
      if (waiting.get(deviceId) === session) waiting.delete(deviceId)
      if (connections.get(deviceId) !== session) return
      connections.delete(deviceId)
      if (stopping) return
      const before = underWay.get(deviceId)
      if (before) background.add(before.then(() => goodbyes.set(id, deviceId)))
      else goodbyes.set(id, deviceId)
    },
    onGone(session: ControlSession): void {
      sessions.delete(session)
      if (sessions.size === 0) allGone?.()
    },
  }

  const admit = (socket: ControlSocket, device: SessionDevice): void => {
    const session = new ControlSession(host, socket, device)
    sessions.add(session)
    waiting.get(device.id)?.close(ControlCloseCode.replaced, replaced)
    waiting.set(device.id, session)
  }

  const line = createUpgradeLine(() => arrivals.size)
  const stopHeartbeats = watchHeartbeats({ sessions, ...config })

  return {
    guard(request) {
      if (request.headers.upgrade !== undefined) line.enter(request)
    },
    upgrade(context) {
      const { request, socket, head, authentication } = context
      line.leave(request)
      if (stopping || sessions.size >= config.maxConnections) {
        const reason = 'No more control channels are taken'
        context.refuse(coreErrors.UNAVAILABLE({ reason }, { retryAfter: retryAfterSeconds }))
        return
      }
      // It may have been switched off since the guard looked.
      if (!features.isEnabled('tunnels')) {
        context.refuse(coreErrors.FEATURE_DISABLED({ feature: 'tunnels' }))
        return
      }
      handshakes.expect(context)
      const token = bearerToken(request.headers)
      const verified = token === undefined ? undefined : issuer.verify(token)
      const principal = authentication.kind === 'authenticated' ? authentication.principal : undefined
      if (principal?.kind !== 'device' || verified?.kind !== 'valid') {
        refusals.refuse(context)
        return
      }
      const { subject: id, id: tokenId } = verified.claims
      const { deviceKind: kind } = principal as DevicePrincipal
      server.handleUpgrade(request, socket, head, (webSocket) => admit(webSocket, { id, kind, tokenId }))
    },
    isOnline: (deviceId) => connections.has(deviceId),
    count: () => connections.size,
    pushState(deviceId) {
      if (connections.has(deviceId)) pushes.set(deviceId, true)
    },
    pushAll() {
      for (const deviceId of connections.keys()) pushes.set(deviceId, true)
    },
    revoke(deviceId) {
      waiting.get(deviceId)?.close(ControlCloseCode.revoked, revoked)
      connections.get(deviceId)?.close(ControlCloseCode.revoked, revoked)
    },
    switchOff() {
      const reason = { error: 'feature_disabled', detail: 'tunnels are switched off' }
      for (const session of [...sessions]) session.close(ControlCloseCode.goingAway, reason)
    },
    async refresh() {
      if (stopping) return
      const welcomed = [...connections.values()].filter(({ isOpen }) => isOpen)
      const found = await checkPresence(presence, welcomed, (deviceId) => connections.get(deviceId))
      for (const session of found.dead) {
        session.close(ControlCloseCode.revoked, revoked)
        options.endLink(session.deviceId)
      }
      for (const session of found.replaced) session.close(ControlCloseCode.replaced, replaced)
    },
    listen: () =>
      events.on(channelsReplaced, ({ channels }, { remote }) => {
        if (!remote) return
        for (const { deviceId, sessionNumber } of channels) {
          const session = connections.get(deviceId)
          if (!session) continue
          session.newestNumber = Math.max(session.newestNumber, sessionNumber)
          // One that is on its way is looked at when its number is known.
          const isOlder = session.number !== undefined && session.number < sessionNumber
          if (isOlder) session.close(ControlCloseCode.replaced, replaced)
        }
      }),
    stop() {
      stopping ??= (async () => {
        await stopHeartbeats()
        for (const session of [...sessions]) session.close(ControlCloseCode.goingAway)
        if (sessions.size > 0) await new Promise<void>((resolve) => (allGone = resolve))
        await Promise.all([refusals.idle(), background.idle()])
        await Promise.all([pushes.stop(), goodbyes.stop(), options.targetErrors.stop()])
      })()
      return stopping
    },
  }
}
