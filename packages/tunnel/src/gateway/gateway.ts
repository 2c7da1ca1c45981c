import { coreErrors, type Features, type Logger, type TokenIssuer, type UpgradeContext } from '@sallyport/core'
import {
  CONTROL_PROTOCOL,
  ControlCloseCode,
  type HelloMessage,
  MAX_AGENT_MESSAGE_BYTES,
  type StateMessage,
} from '@sallyport/relay'
import { type WebSocket, WebSocketServer } from 'ws'
import { bearerToken } from '../bearer.js'
import { type Coalesced, coalesce } from '../coalesce.js'
import type { GatewayConfig } from '../config.js'
import { createTracked } from '../tracked.js'
import { type AgentSession, createAgentSession } from './agent-session.js'
import { refuseBadHandshakes } from './bad-handshakes.js'
import type { Presence } from './presence.js'
import { createRefusals } from './refused-upgrades.js'

/** The control channels of this instance: one for each device, the newest wins. */
export interface Gateway {
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
  /** Writes presence, and cuts devices whose token died without this instance being told. */
  refresh(): Promise<void>
  /** Closes all with 1001, takes no more, resolves when they are gone. */
  stop(): Promise<void>
}

interface GatewayOptions {
  readonly issuer: TokenIssuer
  readonly features: Features
  readonly presence: Presence
  readonly logger: Logger
  readonly config: GatewayConfig
  readonly readState: (deviceId: string) => Promise<StateMessage>
  readonly issueTicket: (relayId: string, deviceId: string) => string | undefined
  /** Cuts what the device holds open at the relay, and ends its tickets. */
  readonly endLink: (deviceId: string) => void
}

interface Connection {
  readonly session: AgentSession
  readonly push: Coalesced
  /** Resolves when the database knows of it, and stays behind its predecessor's. */
  readonly known: Promise<void>
}

/** RFC 6455 section 7.4.1 and the IANA registry: something failed here; try again. */
const internalErrorCode = 1011
const retryAfterSeconds = 5

export function createGateway(options: GatewayOptions): Gateway {
  const { issuer, features, presence, logger, config } = options
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_AGENT_MESSAGE_BYTES,
  })
  const handshakes = refuseBadHandshakes(server)
  const refusals = createRefusals(server)
  /** Every session whose socket is not gone. */
  const sessions = new Set<AgentSession>()
  /** Those that have not said hello, one for each device. */
  const waiting = new Map<string, AgentSession>()
  const connections = new Map<string, Connection>()
  const background = createTracked()
  let stopping: Promise<void> | undefined

  const replaced = { error: 'replaced', detail: 'a newer connection of this device took over' }
  const revoked = { error: 'revoked', detail: 'the device or its token is gone' }

  const pushTo = async (session: AgentSession): Promise<void> => {
    if (connections.get(session.deviceId)?.session !== session) return
    try {
      session.send(await options.readState(session.deviceId))
    } catch (error) {
      // It connects anew and is then given the whole state.
      logger.error({ err: error, deviceId: session.deviceId }, 'the state of a device could not be read')
      session.close(internalErrorCode)
    }
  }

  const welcome = async (
    session: AgentSession,
    hello: HelloMessage,
    before: Promise<void> | undefined,
  ): Promise<void> => {
    await before
    try {
      const name = await presence.connected(session, hello)
      if (name === undefined) {
        session.close(ControlCloseCode.revoked, revoked)
        return
      }
      const { deviceId } = session
      session.send({ type: 'welcome', protocol: CONTROL_PROTOCOL, deviceId, name, heartbeatMs: config.heartbeatMs })
    } catch (error) {
      logger.error({ err: error, deviceId: session.deviceId }, 'the presence of a device could not be written')
      session.close(internalErrorCode)
    }
  }

  const onHello = (session: AgentSession, hello: HelloMessage): void => {
    const { deviceId } = session
    waiting.delete(deviceId)
    const older = connections.get(deviceId)
    const known = welcome(session, hello, older?.known)
    const push = coalesce(async () => {
      await known
      await pushTo(session)
    })
    connections.set(deviceId, { session, push, known })
    older?.session.close(ControlCloseCode.replaced, replaced)
    background.add(push.run())
  }

  const onEnd = (session: AgentSession): void => {
    const { deviceId } = session
    if (waiting.get(deviceId) === session) waiting.delete(deviceId)
    const connection = connections.get(deviceId)
    if (connection?.session !== session) return
    connections.delete(deviceId)
    if (stopping) return
    const write = connection.known.then(() => presence.disconnected(session))
    background.add(
      write.catch((error: unknown) => {
        logger.error({ err: error, deviceId }, 'the presence of a device could not be written')
      }),
    )
  }

  const admit = (socket: WebSocket, deviceId: string, tokenId: string): void => {
    const session = createAgentSession({
      socket,
      deviceId,
      tokenId,
      heartbeatMs: config.heartbeatMs,
      helloTimeoutMs: config.helloTimeoutMs,
      logger,
      onHello,
      onEnd,
      onTicketRequest(from, relayId) {
        const ticket = options.issueTicket(relayId, deviceId)
        if (ticket !== undefined) from.send({ type: 'ticket', relayId, ticket })
      },
    })
    sessions.add(session)
    void session.gone.then(() => sessions.delete(session))
    waiting.get(deviceId)?.close(ControlCloseCode.replaced, replaced)
    waiting.set(deviceId, session)
  }

  const revoke = (deviceId: string): void => {
    waiting.get(deviceId)?.close(ControlCloseCode.revoked, revoked)
    connections.get(deviceId)?.session.close(ControlCloseCode.revoked, revoked)
  }

  return {
    upgrade(context) {
      const { request, socket, head, authentication } = context
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
      const device = authentication.kind === 'authenticated' && authentication.principal.kind === 'device'
      if (!device || verified?.kind !== 'valid') {
        refusals.refuse(context)
        return
      }
      const { subject, id } = verified.claims
      server.handleUpgrade(request, socket, head, (webSocket) => admit(webSocket, subject, id))
    },
    isOnline: (deviceId) => connections.has(deviceId),
    count: () => connections.size,
    pushState(deviceId) {
      const connection = connections.get(deviceId)
      if (connection) background.add(connection.push.run())
    },
    pushAll() {
      for (const { push } of connections.values()) background.add(push.run())
    },
    revoke,
    switchOff() {
      const reason = { error: 'feature_disabled', detail: 'tunnels are switched off' }
      for (const session of [...sessions]) session.close(ControlCloseCode.goingAway, reason)
    },
    async refresh() {
      const dead = await presence.refresh([...connections.values()].map(({ session }) => session))
      for (const session of dead) {
        session.close(ControlCloseCode.revoked, revoked)
        options.endLink(session.deviceId)
      }
    },
    stop() {
      stopping ??= (async () => {
        for (const session of [...sessions]) session.close(ControlCloseCode.goingAway)
        await Promise.all([...sessions].map(({ gone }) => gone))
        await Promise.all([refusals.idle(), background.idle()])
      })()
      return stopping
    },
  }
}
