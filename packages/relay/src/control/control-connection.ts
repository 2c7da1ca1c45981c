import { retryAfterDelay, retryDelay } from '../backoff.js'
import { RelayError } from '../errors.js'
import type { Logger } from '../logger.js'
import { checkProxy } from '../proxy/check-proxy.js'
import type { AgentMessage, HelloMessage, PanelMessage, RelayMessage, WelcomeMessage } from './control.js'
import type { ConnectionTimings, ControlConnectionEvents } from './control-connection-types.js'
import type { ControlEnd } from './control-refusal.js'
import { type ControlSocket, openControlSocket } from './control-socket.js'
import { parsePanelUrl } from './panel-url.js'

export interface ControlConnectionOptions {
  panel: string | URL
  token: () => string
  /** See `connectThrough`; none: directly. */
  proxy?: URL
  version: string
  logger: Logger
  timings: ConnectionTimings
  /** What `hello` says beyond the version. May throw: then the try has failed. */
  greeting?: () => Pick<HelloMessage, 'relay'>
  onWelcome(message: WelcomeMessage): void
  /** Everything after `welcome`. */
  onMessage(message: PanelMessage): void
  /** A connection or a try is over, for whatever reason; before `tell`. */
  onOver(): void
  /** The connection has ended for good; after `onOver`, before `tell`. */
  onHalt(): void
  tell: { [E in keyof ControlConnectionEvents]: (payload: ControlConnectionEvents[E]) => void }
}

/** One connection to the panel after the other, until it is stopped or refused. */
export interface ControlConnection {
  /** False when it runs already. */
  start(): boolean
  stop(): Promise<void>
  /** Welcomed, and not over. */
  readonly connected: boolean
  /** False when there is no connection to send it on. */
  send(message: AgentMessage | RelayMessage): boolean
  /** See `ControlChannel.probe`. */
  probe(): void
  /** Ends the present connection because of what the panel sent; the next is tried. */
  refuse(what: string): void
}

const CLOSE_GRACE_MS = 1_000

/** Throws RELAY_ERR_INVALID_OPTION when `panel` or `proxy` is no http(s) URL. */
export function createControlConnection(options: ControlConnectionOptions): ControlConnection {
  const { logger, timings, tell } = options
  const panel = parsePanelUrl(String(options.panel))
  if (!panel.ok) throw new RelayError('RELAY_ERR_INVALID_OPTION', panel.detail)
  const panelUrl = panel.url
  checkProxy(options.proxy)

  let running = false
  let socket: ControlSocket | undefined
  let connectedAt: number | undefined
  let attempt = 0
  let retry: NodeJS.Timeout | undefined
  /** Another of this device runs. */
  let staysAway = false

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
    staysAway = false
    const isCurrent = () => running && socket === current
    const current: ControlSocket = openControlSocket({
      panel: panelUrl,
      token: currentToken(),
      version: options.version,
      proxy: options.proxy,
      ...(options.greeting === undefined ? {} : { greeting: options.greeting }),
      connectTimeoutMs: timings.connectTimeoutMs,
      onWelcome(message) {
        if (!isCurrent()) return
        connectedAt = performance.now()
        options.onWelcome(message)
      },
      onMessage(message) {
        if (isCurrent()) options.onMessage(message)
      },
      onEnd(end) {
        if (isCurrent()) ended(end)
      },
    })
    socket = current
  }

  function ended(end: ControlEnd): void {
    const wasConnected = connectedAt !== undefined
    const lived = connectedAt === undefined ? 0 : performance.now() - connectedAt
    connectedAt = undefined
    if (wasConnected && lived >= timings.stableAfterMs) attempt = 0
    if (end.kind === 'refused') {
      halt()
      tell.refused({ reason: end.reason, detail: end.detail })
      return
    }
    options.onOver()
    if (end.kind === 'replaced') {
      staysAway = true
      tell.replaced({ retryInMs: redialIn(timings.replacedRetryMs) })
    } else if (end.kind === 'waiting') {
      const { retryAfterMs } = end
      const spread = timings.featureRetryMs * (1 + Math.random() / 2)
      const delay = retryAfterMs === undefined ? spread : retryAfterDelay(retryAfterMs)
      tell.waiting({ reason: 'feature_disabled', retryInMs: redialIn(delay) })
    } else {
      const { reason, detail, declined = false, retryAfterMs } = end
      const asked = retryAfterMs === undefined ? 0 : retryAfterDelay(retryAfterMs)
      const delay = Math.max(retryDelay(attempt, timings), asked)
      attempt += 1
      tell.disconnected({ reason, detail, wasConnected, declined, retryInMs: redialIn(delay) })
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
    options.onOver()
    options.onHalt()
  }

  return {
    start() {
      if (running) return false
      running = true
      dial()
      return true
    },
    async stop() {
      if (running) halt()
      const current = socket
      socket = undefined
      await current?.close(CLOSE_GRACE_MS)
    },
    get connected() {
      return connectedAt !== undefined
    },
    send: (message) => connectedAt !== undefined && socket?.send(message) === true,
    probe() {
      if (!running || staysAway) return
      if (retry === undefined) {
        socket?.probe()
        return
      }
      clearTimeout(retry)
      attempt = 0
      dial()
    },
    refuse(what) {
      if (connectedAt !== undefined) socket?.refuse(what)
    },
  }
}
