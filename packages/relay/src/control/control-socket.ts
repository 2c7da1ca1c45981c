import { WebSocket } from 'ws'
import { ADDRESS_TRY } from '../address-try.js'
import { createProxyAgent } from '../proxy/proxy-agent.js'
import {
  type AgentMessage,
  CONTROL_PATH,
  CONTROL_PROTOCOL,
  ControlCloseCode,
  type HelloMessage,
  MAX_PANEL_MESSAGE_BYTES,
  MISSED_HEARTBEATS,
  type PanelMessage,
  type RelayMessage,
  type WelcomeMessage,
} from './control.js'
import { judgeClose, judgeSocketError, type LostEnd } from './control-close.js'
import { parsePanelMessage } from './control-parser.js'
import { type ControlEnd, readUpgradeAnswer } from './control-refusal.js'
import { panelRoute } from './panel-url.js'

export interface ControlSocketOptions {
  panel: URL
  token: string
  version: string
  /** See `connectThrough`; none: directly. */
  proxy?: URL | undefined
  /** What `hello` says beyond the version. May throw: then the connection fails. */
  greeting?: () => Pick<HelloMessage, 'relay'>
  /** From the dial to `welcome`, milliseconds. */
  connectTimeoutMs: number
  onWelcome(message: WelcomeMessage): void
  /** Everything after `welcome`. */
  onMessage(message: PanelMessage): void
  /** Exactly once, never from inside `openControlSocket`. */
  onEnd(end: ControlEnd): void
}

/** One connection to the panel, from the dial to its end. */
export interface ControlSocket {
  /** False when the message could not be handed over. */
  send(message: AgentMessage | RelayMessage): boolean
  /** Ends the connection because of what the panel sent: `onEnd` follows, within this call. */
  refuse(what: string): void
  /** Ends the connection unless the panel is heard within 3 s, or this try unless it is welcomed within 5 s. */
  probe(): void
  /** Closes in order, at the latest after `graceMs`; resolves when the socket is gone. `onEnd` is not called. */
  close(graceMs: number): Promise<void>
}

const MAX_BUFFERED_BYTES = 1024 * 1024
const CLOSE_GRACE_MS = 1_000
/** The panel may want a longer heartbeat; with no more than this a dead connection is found within 10 seconds. */
const MAX_HEARTBEAT_MS = 4_500
/** A timer that is later than this was held up together with everything else. */
const HELD_UP_MS = 1_000
const PROBE_TURN_MS = 1_000
const PROBE_TURNS = 3
const PROBE_DIAL_TURNS = 5
/** What its PING carries, so that its PONG is known. */
const PROBE: Buffer = Buffer.from('probe')
const HEADER_VALUE = /^[\x21-\x7e]{1,4096}$/

export function openControlSocket(options: ControlSocketOptions): ControlSocket {
  if (!HEADER_VALUE.test(options.token)) return unusableToken(options)
  const url = panelRoute(options.panel, CONTROL_PATH)
  const secure = url.protocol === 'https:'
  url.protocol = secure ? 'wss:' : 'ws:'
  const { proxy, connectTimeoutMs } = options
  const agent = proxy === undefined ? undefined : createProxyAgent({ proxy, secure, timeoutMs: connectTimeoutMs })
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${options.token}` },
    maxPayload: MAX_PANEL_MESSAGE_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
    ...ADDRESS_TRY,
    ...(agent === undefined ? {} : { agent }),
  })

  let welcomed = false
  let ended = false
  let heardAt = 0
  let waitingAnnounced = false
  let failure: LostEnd | undefined
  let pings: NodeJS.Timeout | undefined
  let closing: NodeJS.Timeout | undefined
  let probing: NodeJS.Timeout | undefined
  let silence = setTimeout(() => fail('timeout', 'the panel did not answer in time'), options.connectTimeoutMs)

  function end(result: ControlEnd | undefined): void {
    if (ended) return
    ended = true
    clearTimeout(silence)
    clearInterval(pings)
    clearInterval(probing)
    if (result) options.onEnd(result)
  }

  /** Ends this connection from our side because of what was seen (or not) on it. */
  function fail(reason: string, detail: string): void {
    end({ kind: 'lost', reason, detail })
    socket.terminate()
  }

  /** `what` the panel sent. */
  function refuseMessage(what: string): void {
    if (ended) return
    end({ kind: 'lost', reason: 'bad_message', detail: `the panel sent ${what}` })
    closeGently(ControlCloseCode.badMessage, CLOSE_GRACE_MS)
  }

  function closeGently(code: number, graceMs: number): void {
    closing ??= setTimeout(() => socket.terminate(), graceMs)
    socket.close(code)
  }

  function welcome(message: WelcomeMessage): void {
    if (message.protocol !== CONTROL_PROTOCOL) {
      refuseMessage(`protocol ${message.protocol}, this side speaks ${CONTROL_PROTOCOL}: update sallyport`)
      return
    }
    welcomed = true
    probed()
    clearTimeout(silence)
    const heartbeatMs = Math.min(message.heartbeatMs, MAX_HEARTBEAT_MS)
    const deadAfterMs = heartbeatMs * MISSED_HEARTBEATS
    heardAt = performance.now()
    silence = setTimeout(() => silent(deadAfterMs), deadAfterMs)
    pings = setInterval(() => socket.ping(), heartbeatMs)
    options.onWelcome(message)
  }

  function silent(deadAfterMs: number): void {
    // A process that was held up (stopped, or its machine asleep) finds what has arrived only after its timers.
    const isHeldUp = performance.now() - heardAt > deadAfterMs + HELD_UP_MS
    if (!isHeldUp) {
      fail('timeout', 'nothing was heard of the panel any more')
      return
    }
    socket.ping()
    heard()
  }

  function receive(text: string): void {
    const parsed = parsePanelMessage(text)
    if (!parsed.ok) {
      if (parsed.error !== 'unknown_type') refuseMessage(`a message that is not understood (${parsed.error})`)
      return
    }
    const { message } = parsed
    if (message.type === 'error') {
      waitingAnnounced = message.error === 'feature_disabled'
      const detail = message.detail === '' ? message.error : message.detail
      failure = { kind: 'lost', reason: message.error, detail }
    }
    if (welcomed && message.type !== 'welcome') options.onMessage(message)
    else if (!welcomed && message.type === 'welcome') welcome(message)
    else if (message.type !== 'error') refuseMessage(`'${message.type}' out of turn`)
  }

  /** Turns of a timer, not time: a process that was held up finds what has arrived only after its timers. */
  function probe(): void {
    if (ended || probing !== undefined) return
    if (welcomed) socket.ping(PROBE)
    let turns = welcomed ? PROBE_TURNS : PROBE_DIAL_TURNS
    probing = setInterval(() => {
      turns -= 1
      if (turns === 0) fail('timeout', 'the panel did not answer in time')
    }, PROBE_TURN_MS)
  }

  /** The panel has answered since. */
  function probed(): void {
    clearInterval(probing)
    probing = undefined
  }

  function greet(): Pick<HelloMessage, 'relay'> | undefined {
    try {
      return options.greeting?.() ?? {}
    } catch (error) {
      fail('not_ready', error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  function heard(): void {
    if (!welcomed || ended) return
    heardAt = performance.now()
    silence.refresh()
  }

  socket.on('open', () => {
    const platform = `${process.platform}-${process.arch}`
    const greeting = greet()
    if (greeting) send({ type: 'hello', protocol: CONTROL_PROTOCOL, version: options.version, platform, ...greeting })
  })
  socket.on('ping', heard)
  socket.on('pong', (data) => {
    heard()
    // Others, and what else is heard, may have come before the network went.
    if (data.equals(PROBE)) probed()
  })
  socket.on('message', (data, isBinary) => {
    heard()
    if (ended) return
    if (isBinary) refuseMessage('a binary message')
    else receive((data as Buffer).toString('utf8'))
  })
  socket.on('unexpected-response', (request, response) => {
    void readUpgradeAnswer(response, options.panel).then((result) => {
      end(result)
      request.destroy()
      socket.terminate()
    })
  })
  socket.on('error', (error) => {
    const found = judgeSocketError(error)
    if (!failure || found.reason === 'too_large') failure = found
  })
  socket.on('close', (code) => {
    clearTimeout(closing)
    agent?.destroy()
    if (failure && !welcomed && code === ControlCloseCode.badMessage) failure = { ...failure, declined: true }
    end(judgeClose(code, waitingAnnounced, failure))
  })

  function send(message: AgentMessage | RelayMessage): boolean {
    if (ended || socket.readyState !== WebSocket.OPEN) return false
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      fail('timeout', 'the panel does not read')
      return false
    }
    socket.send(JSON.stringify(message), () => {})
    return true
  }

  return {
    send,
    refuse: refuseMessage,
    probe,
    close(graceMs) {
      end(undefined)
      if (socket.readyState === WebSocket.CLOSED) return Promise.resolve()
      const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate()
      else closeGently(1000, graceMs)
      return gone
    },
  }
}

function unusableToken(options: ControlSocketOptions): ControlSocket {
  let closed = false
  setImmediate(() => {
    const detail = 'the token is no device token (it is empty or has characters that cannot be sent)'
    if (!closed) options.onEnd({ kind: 'refused', reason: 'bad_token', detail })
  })
  return {
    send: () => false,
    refuse() {},
    probe() {},
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}
