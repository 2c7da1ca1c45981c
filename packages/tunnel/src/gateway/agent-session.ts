import { randomUUID } from 'node:crypto'
import type { Logger } from '@sallyport/core'
import {
  type AgentMessage,
  CONTROL_PROTOCOL,
  ControlCloseCode,
  type HelloMessage,
  MISSED_HEARTBEATS,
  type PanelMessage,
  parseAgentMessage,
} from '@sallyport/relay'
import type { WebSocket } from 'ws'
import { createMessageRate } from './message-rate.js'

/** One control channel, from the upgrade to its end. It costs nobody but itself, whatever the agent does. */
export interface AgentSession {
  readonly id: string
  readonly deviceId: string
  /** jti of the token that opened it. */
  readonly tokenId: string
  send(message: PanelMessage): void
  /** Says why, closes, and breaks off what does not end in time. Only the first call counts. */
  close(code: number, reason?: { readonly error: string; readonly detail: string }): void
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>
}

export interface AgentSessionOptions {
  readonly socket: WebSocket
  readonly deviceId: string
  readonly tokenId: string
  readonly heartbeatMs: number
  readonly helloTimeoutMs: number
  readonly logger: Logger
  /** The first message, of a protocol that is spoken here. */
  onHello(session: AgentSession, hello: HelloMessage): void
  onTicketRequest(session: AgentSession, relayId: string): void
  /** Once, when the end begins. */
  onEnd(session: AgentSession): void
}

/** A connection that has not ended this long after the close is broken off. */
const closeGraceMs = 1_000
/** What may wait for a slow agent before it is broken off. */
const maxBufferedBytes = 2 * 1024 * 1024
const burst = 60
const perSecond = 10

export function createAgentSession(options: AgentSessionOptions): AgentSession {
  const { socket, deviceId, heartbeatMs, logger } = options
  // Both sides ping once in each heartbeat.
  const rate = createMessageRate(burst, perSecond + 2_000 / heartbeatMs)
  let phase: 'waiting' | 'open' | 'ending' = 'waiting'
  let breakOff: NodeJS.Timeout | undefined
  let silent = false

  const hello = setTimeout(() => refuse('hello_timeout', 'no hello came in time'), options.helloTimeoutMs)
  const silence = setTimeout(() => {
    silent = true
    // After a standstill of this process, what has come meanwhile is read first.
    setImmediate(() => silent && end())
  }, heartbeatMs * MISSED_HEARTBEATS)
  const pings = setInterval(() => {
    if (isClogged()) end()
    else socket.ping()
  }, heartbeatMs)

  const begin = (): boolean => {
    if (phase === 'ending') return false
    phase = 'ending'
    clearTimeout(hello)
    clearTimeout(silence)
    clearInterval(pings)
    options.onEnd(session)
    return true
  }

  /** Ends what is dead or does not read: there is no use in a close frame. */
  const end = (): void => {
    begin()
    socket.terminate()
  }

  const refuse = (error: string, detail: string, field?: string): void => {
    if (phase === 'ending') return
    logger.warn({ deviceId, error, field }, 'an agent broke the control protocol')
    session.close(ControlCloseCode.badMessage, { error, detail })
  }

  const isClogged = (): boolean => socket.bufferedAmount > maxBufferedBytes

  const heard = (): boolean => {
    if (phase === 'ending') return false
    silent = false
    silence.refresh()
    if (isClogged()) {
      // Each of the agent's pings is answered by itself, whether it reads the answers or not.
      end()
      return false
    }
    if (rate.take()) return true
    refuse('too_many_messages', 'the agent sends too much')
    return false
  }

  const receive = (message: AgentMessage): void => {
    if (phase === 'waiting') {
      if (message.type !== 'hello') refuse('hello_expected', 'the first message must be hello')
      else greet(message)
    } else if (message.type === 'hello') refuse('unexpected_message', 'hello came twice')
    else if (message.type === 'ticket') options.onTicketRequest(session, message.relayId)
  }

  const greet = (message: HelloMessage): void => {
    clearTimeout(hello)
    if (message.protocol === CONTROL_PROTOCOL) {
      phase = 'open'
      options.onHello(session, message)
      return
    }
    const newer = message.protocol < CONTROL_PROTOCOL ? 'update the agent' : 'update the panel'
    refuse('protocol_unsupported', `this panel speaks protocol ${CONTROL_PROTOCOL}: ${newer}`)
  }

  const session: AgentSession = {
    id: randomUUID(),
    deviceId,
    tokenId: options.tokenId,
    send(message) {
      if (phase === 'ending') return
      if (isClogged()) end()
      else socket.send(JSON.stringify(message), () => undefined)
    },
    close(code, reason) {
      if (phase === 'ending') return
      if (reason) session.send({ type: 'error', error: reason.error, detail: reason.detail })
      if (!begin()) return
      breakOff = setTimeout(() => socket.terminate(), closeGraceMs)
      socket.close(code, reason?.error)
    },
    gone: new Promise((resolve) => {
      socket.once('close', () => {
        clearTimeout(breakOff)
        begin()
        resolve()
      })
    }),
  }

  socket.on('ping', heard)
  socket.on('pong', heard)
  socket.on('message', (data, isBinary) => {
    if (!heard()) return
    if (isBinary) {
      refuse('bad_message', 'messages are text')
      return
    }
    const parsed = parseAgentMessage(data.toString())
    if (parsed.ok) receive(parsed.message)
    else refuse(parsed.error, 'the message is not understood', parsed.field)
  })
  socket.on('error', (error) => logger.warn({ deviceId, err: error }, 'a control channel broke'))
  return session
}
