import { randomUUID } from 'node:crypto'
import type { Logger } from '@sallyport/core'
import {
  CONTROL_PROTOCOL,
  ControlCloseCode,
  type HelloMessage,
  type PanelMessage,
  parseAgentMessage,
} from '@sallyport/relay'
import type { RawData } from 'ws'
import type { DeviceKind } from '../devices/device.js'
import type { ControlSocket, SocketOwner } from './control-socket.js'
import { MessageRate } from './message-rate.js'

/** Why a channel is closed; told to the peer first. */
export interface EndReason {
  /** snake_case. */
  readonly error: string
  readonly detail: string
}

/** Who is at the other end, once it has been let in. */
export interface ControlPeer {
  /** What it says after `welcome`. */
  receive(text: string): void
  /** Once, when the end begins. */
  ended(): void
}

/** By whose token a channel was opened. */
export interface SessionDevice {
  readonly id: string
  readonly kind: DeviceKind
  /** jti of the token. */
  readonly tokenId: string
}

/** What sessions share. */
export interface SessionHost {
  readonly logger: Logger
  readonly heartbeatMs: number
  /** The first message, of a protocol that is spoken here. */
  onHello(session: ControlSession, hello: HelloMessage): void
  /** Once, when the end begins. */
  onEnd(session: ControlSession): void
  /** Once, when the socket is gone. */
  onGone(session: ControlSession): void
}

/** A connection that has not ended this long after the close is broken off. */
const closeGraceMs = 1_000
/** What may wait for a slow peer before it is broken off. */
const maxBufferedBytes = 2 * 1024 * 1024
const agentRate = { burst: 60, perSecond: 10 }
/** Their counts come each second; admission questions are bounded by themselves (`admission-questions.ts`). */
const relayRate = { burst: 10_000, perSecond: 5_000 }

/** What a device is told that comes as the other kind. */
const wrongKind: Readonly<Record<DeviceKind, string>> = {
  server: "this is a relay's token, for 'sallyport relay': an agent needs one of its own",
  client:
    "this is an agent's token, for 'sallyport run': a relay needs one of kind server, 'sallyport enroll --kind server'",
}

const ignored = (): void => undefined

/** One control channel, from the upgrade to its end. It costs nobody but itself, whatever the peer does. */
export class ControlSession implements SocketOwner {
  /** As in `tunnel_devices.session_id`. */
  readonly id: string = randomUUID()
  readonly deviceId: string
  /** jti of the token that opened it. */
  readonly tokenId: string
  readonly openedAt: number = performance.now()
  /** When something last came of it, by `performance.now()`. */
  heardAt: number = this.openedAt
  /** As in `tunnel_devices.session_number`, once the database knows of it. */
  number: number | undefined
  /** The highest number of this device that an event told of. */
  newestNumber = 0
  readonly #host: SessionHost
  readonly #socket: ControlSocket
  readonly #kind: DeviceKind
  #phase: 'waiting' | 'arriving' | 'open' | 'ending' = 'waiting'
  #rate: MessageRate
  #peer: ControlPeer | undefined
  #breakOff: NodeJS.Timeout | undefined

  constructor(host: SessionHost, socket: ControlSocket, device: SessionDevice) {
    this.#host = host
    this.#socket = socket
    this.deviceId = device.id
    this.tokenId = device.tokenId
    this.#kind = device.kind
    this.#rate = this.#newRate(agentRate)
    socket.attach(this)
  }

  /** Between the upgrade and `hello`. */
  get isWaiting(): boolean {
    return this.#phase === 'waiting'
  }

  /** Welcomed, and its end has not begun. */
  get isOpen(): boolean {
    return this.#phase === 'open'
  }

  get hasEnded(): boolean {
    return this.#phase === 'ending'
  }

  /** More waits for the peer than it may leave unread. */
  get isClogged(): boolean {
    return this.#socket.bufferedAmount > maxBufferedBytes
  }

  get peer(): ControlPeer | undefined {
    return this.#peer
  }

  /** @param written is called when the message has left this process, or never will */
  send(message: PanelMessage, written: () => void = ignored): void {
    if (this.#phase === 'ending') written()
    else if (this.isClogged) {
      this.breakOff()
      written()
    } else this.#socket.send(JSON.stringify(message), written)
  }

  /** Lets the peer in: from now on it hears what comes. */
  open(peer: ControlPeer): void {
    if (this.#phase !== 'arriving') return
    this.#phase = 'open'
    this.#peer = peer
  }

  ping(): void {
    this.#socket.ping()
  }

  /** Says why, closes, and breaks off what does not end in time. Only the first call counts. */
  close(code: number, reason?: EndReason): void {
    if (this.#phase === 'ending') return
    if (reason) this.send({ type: 'error', error: reason.error, detail: reason.detail })
    if (!this.#begin()) return
    this.#breakOff = setTimeout(() => this.#socket.terminate(), closeGraceMs)
    this.#socket.close(code, reason?.error)
  }

  /** Ends what is dead or does not read: there is no use in a close frame. */
  breakOff(): void {
    this.#begin()
    this.#socket.terminate()
  }

  /** Closes with 4400; logged once. */
  refuse(error: string, detail: string, field?: string): void {
    if (this.#phase === 'ending') return
    this.#host.logger.warn({ deviceId: this.deviceId, error, field }, 'a peer broke the control protocol')
    this.close(ControlCloseCode.badMessage, { error, detail })
  }

  heard(): boolean {
    if (this.#phase === 'ending') return false
    this.heardAt = performance.now()
    if (this.isClogged) {
      // Each of the peer's pings is answered by itself, whether it reads the answers or not.
      this.breakOff()
      return false
    }
    if (this.#rate.take()) return true
    this.refuse('too_many_messages', 'too much is sent')
    return false
  }

  received(data: RawData, isBinary: boolean): void {
    if (!this.heard()) return
    if (isBinary) this.refuse('bad_message', 'messages are text')
    else if (this.#phase === 'open') this.#peer?.receive(data.toString())
    else if (this.#phase === 'waiting') this.#greet(data.toString())
    else this.refuse('unexpected_message', 'nothing is said between hello and welcome')
  }

  failed(error: Error): void {
    if (this.#phase === 'ending') return
    this.#host.logger.warn({ deviceId: this.deviceId, err: error }, 'a control channel broke')
  }

  gone(): void {
    clearTimeout(this.#breakOff)
    this.#begin()
    this.#host.onGone(this)
  }

  #greet(text: string): void {
    const parsed = parseAgentMessage(text)
    if (!parsed.ok) {
      this.refuse(parsed.error, 'the message is not understood', parsed.field)
      return
    }
    const { message } = parsed
    if (message.type !== 'hello') {
      this.refuse('hello_expected', 'the first message must be hello')
      return
    }
    if (message.protocol !== CONTROL_PROTOCOL) {
      const newer = message.protocol < CONTROL_PROTOCOL ? 'update the agent' : 'update the panel'
      this.refuse('protocol_unsupported', `this panel speaks protocol ${CONTROL_PROTOCOL}: ${newer}`)
      return
    }
    // Before it takes the place of the device's own channel.
    if ((this.#kind === 'server') !== (message.relay !== undefined)) {
      this.refuse('wrong_kind', wrongKind[this.#kind])
      return
    }
    this.#phase = 'arriving'
    if (message.relay) this.#rate = this.#newRate(relayRate)
    this.#host.onHello(this, message)
  }

  /** Both sides ping once in each heartbeat. */
  #newRate({ burst, perSecond }: { burst: number; perSecond: number }): MessageRate {
    return new MessageRate(burst, perSecond + 2_000 / this.#host.heartbeatMs)
  }

  #begin(): boolean {
    if (this.#phase === 'ending') return false
    this.#phase = 'ending'
    this.#host.onEnd(this)
    this.#peer?.ended()
    return true
  }
}
