import { retryDelay } from './backoff.js'
import type { ControlRelay, PanelMessage, StateMessage } from './control.js'
import {
  type ControlChannel,
  type ControlChannelEvents,
  type ControlChannelOptions,
  type ControlTimings,
  DEFAULT_CONTROL_TIMINGS,
} from './control-channel-types.js'
import type { ControlEnd } from './control-refusal.js'
import { type ControlSocket, openControlSocket } from './control-socket.js'
import { createStatusReporter } from './control-status.js'
import { createTicketRequests } from './control-tickets.js'
import { Emitter } from './emitter.js'
import { RelayError } from './errors.js'
import { silentLogger } from './logger.js'
import { parsePanelUrl } from './panel-url.js'
import { packageVersion } from './version.js'

const CLOSE_GRACE_MS = 1_000
const MIN_RETRY_AFTER_MS = 500
const MAX_RETRY_AFTER_MS = 60_000

/** Throws RELAY_ERR_INVALID_OPTION when `panel` is no http(s) URL. */
export function createControlChannel(options: ControlChannelOptions): ControlChannel {
  const { agent } = options
  const panel = parsePanelUrl(String(options.panel))
  if (!panel.ok) throw new RelayError('RELAY_ERR_INVALID_OPTION', panel.detail)
  const panelUrl = panel.url
  const logger = options.logger ?? silentLogger
  const version = options.version ?? packageVersion()
  const timings: ControlTimings = { ...DEFAULT_CONTROL_TIMINGS, ...options.timings }

  const events = new Emitter<ControlChannelEvents>(logger)
  const relays = new Map<string, ControlRelay>()
  let running = false
  let socket: ControlSocket | undefined
  let connectedAt: number | undefined
  let lastState: StateMessage | undefined
  /** Revisions only grow on one connection; a panel restored from a backup starts lower on the next. */
  let revision = -1
  let attempt = 0
  let retry: NodeJS.Timeout | undefined
  let unsubscribe: (() => void)[] = []

  const status = createStatusReporter({
    agent,
    delayMs: timings.statusDelayMs,
    intervalMs: timings.statusIntervalMs,
    knows: (relayId) => relays.has(relayId),
    send: (message) => connectedAt !== undefined && socket?.send({ ...message, revision }),
  })
  const tickets = createTicketRequests(
    (relayId) => connectedAt !== undefined && socket?.send({ type: 'ticket', relayId }) === true,
  )

  function currentToken(): string {
    try {
      return options.token()
    } catch (error) {
      logger.error({ err: error }, 'the token could not be had')
      return ''
    }
  }

  function dial(): void {
    retry = undefined
    revision = -1
    const current = openControlSocket({
      panel: panelUrl,
      token: currentToken(),
      version,
      connectTimeoutMs: timings.connectTimeoutMs,
      onWelcome({ deviceId, name }) {
        connectedAt = performance.now()
        events.emit('connected', { deviceId, name })
      },
      onMessage: receive,
      onEnd(end) {
        if (running && socket === current) ended(end)
      },
    })
    socket = current
  }

  function receive(message: PanelMessage): void {
    if (message.type === 'state') applyState(message)
    else if (message.type === 'ticket') applyTicket(message.relayId, message.ticket)
  }

  function applyState(state: StateMessage): void {
    if (state.revision < revision) {
      logger.debug({ revision: state.revision, current: revision }, 'an older state is ignored')
      return
    }
    revision = state.revision
    lastState = state
    const wanted = new Map(state.relays.map((relay) => [relay.id, relay]))
    for (const relayId of [...relays.keys()]) {
      if (wanted.has(relayId)) continue
      relays.delete(relayId)
      tickets.forget(relayId)
      guard(() => agent.disconnect(relayId))
    }
    for (const relay of wanted.values()) feed(relay)
    status.changed()
    events.emit('state', state)
  }

  function applyTicket(relayId: string, ticket: string): void {
    const relay = relays.get(relayId)
    if (relay) feed({ ...relay, ticket })
  }

  function feed(relay: ControlRelay): void {
    relays.set(relay.id, relay)
    tickets.answered(relay.id)
    guard(() => agent.connect({ id: relay.id, host: relay.host, port: relay.port, ticket: relay.ticket }))
  }

  /** What the panel says must not throw out of a socket's handler. */
  function guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      logger.error({ err: error }, 'the agent did not take a relay')
    }
  }

  function ended(end: ControlEnd): void {
    const wasConnected = connectedAt !== undefined
    const lived = connectedAt === undefined ? 0 : performance.now() - connectedAt
    connectedAt = undefined
    if (wasConnected && lived >= timings.stableAfterMs) attempt = 0
    if (end.kind === 'refused') {
      halt()
      events.emit('refused', { reason: end.reason, detail: end.detail })
    } else if (end.kind === 'replaced') {
      events.emit('replaced', { retryInMs: redialIn(timings.replacedRetryMs) })
    } else if (end.kind === 'waiting') {
      const spread = timings.featureRetryMs * (1 + Math.random() / 2)
      events.emit('waiting', { reason: 'feature_disabled', retryInMs: redialIn(asked(end.retryAfterMs) ?? spread) })
    } else {
      const delay = Math.max(retryDelay(attempt, timings), asked(end.retryAfterMs) ?? 0)
      attempt += 1
      events.emit('disconnected', { reason: end.reason, detail: end.detail, wasConnected, retryInMs: redialIn(delay) })
    }
  }

  /** The next try is set before handlers hear of an end, so that a handler may call `stop()`. */
  function redialIn(delayMs: number): number {
    const rounded = Math.round(delayMs)
    retry = setTimeout(dial, rounded)
    return rounded
  }

  function halt(): void {
    running = false
    attempt = 0
    connectedAt = undefined
    clearTimeout(retry)
    retry = undefined
    for (const off of unsubscribe) off()
    unsubscribe = []
    status.stop()
    tickets.clear()
  }

  return {
    start() {
      if (running) return
      running = true
      unsubscribe = [
        agent.on('link', ({ relayId, connected }) => {
          if (connected) tickets.linked(relayId)
          status.changed()
        }),
        agent.on('rejected', () => status.changed()),
        agent.on('recovered', () => status.changed()),
        agent.on('ticketNeeded', ({ relayId }) => {
          if (relays.has(relayId)) tickets.need(relayId)
        }),
      ]
      status.start()
      dial()
    },
    async stop() {
      halt()
      const current = socket
      socket = undefined
      await current?.close(CLOSE_GRACE_MS)
    },
    get connected() {
      return connectedAt !== undefined
    },
    state: () => lastState,
    on: (event, handler) => events.on(event, handler),
  }
}

function asked(retryAfterMs: number | undefined): number | undefined {
  return retryAfterMs === undefined
    ? undefined
    : Math.min(Math.max(retryAfterMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS)
}
