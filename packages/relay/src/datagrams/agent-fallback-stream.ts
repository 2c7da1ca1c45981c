import type { Socket } from 'node:net'
import { encodeFrame } from '../link/frame.js'
import { encodeMessage, FrameType } from '../link/protocol.js'
import { ItemKind } from './channel-items.js'
import type { ChannelSession } from './channel-session.js'
import { ChannelStream } from './channel-stream.js'
import type { ChannelTimings } from './channel-timings.js'
import { dispatchItem, type ItemHandlers } from './datagram-channel.js'

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Dials the relay's data port; either `onReady` is called, when the connection may be written to, or `onFailed`; never within the call. It has its
 * own time limit. Gives what calls it off: then neither is called.
 */
export type DialStream = (onReady: (socket: Socket) => void, onFailed: () => void) => () => void

export interface FallbackStreamOptions {
  session: ChannelSession
  dial: DialStream
  maxBufferBytes: number
  timings: ChannelTimings
  onItem: ItemHandlers['onItem']
  /** The relay answered: the stream may be used. */
  onUp: () => void
  /** Once, unless it was ended here. */
  onDown: () => void
}

/** One try at a stream for the datagrams, from dialling it to its end. */
export class FallbackStream {
  readonly #options: FallbackStreamOptions
  readonly #cancelDial: () => void
  #socket: Socket | undefined
  #stream: ChannelStream | undefined
  #pings = 0
  #pingedAt = 0
  #up = false
  #ended = false

  constructor(options: FallbackStreamOptions) {
    this.#options = options
    this.#cancelDial = options.dial(
      (socket) => this.#ready(socket),
      () => this.#down(),
    )
  }

  get up(): boolean {
    return this.#up && !this.#ended
  }

  send(kind: number, flow: number, payload: Uint8Array): boolean {
    return this.#stream?.send(kind, flow, payload) === true
  }

  /** Asked again and again: is it alive? */
  check(now: number): void {
    const { checkEveryMs, streamSilenceMs } = this.#options.timings
    const stream = this.#stream
    if (stream === undefined) return
    if (now - stream.heardAt >= streamSilenceMs) this.#socket?.destroy()
    else if (now - this.#pingedAt > checkEveryMs / 2) this.#ping(now)
  }

  /** What waits is still sent and what comes is still taken. */
  end(): void {
    this.#ended = true
    if (this.#stream === undefined) this.#cancelDial()
    else this.#stream.end()
  }

  #ready(socket: Socket): void {
    this.#socket = socket
    socket.on('error', ignore)
    socket.on('close', () => this.#down())
    const { session, maxBufferBytes, onItem } = this.#options
    const channel = session.channel.toString(16).padStart(16, '0')
    socket.write(encodeFrame(FrameType.DATAGRAMS, encodeMessage({ channel, proof: session.proof })))
    const handlers: ItemHandlers = {
      onItem,
      onPong: () => {
        if (this.#up || this.#ended) return
        this.#up = true
        this.#options.onUp()
      },
      answer: (kind, flow) => this.send(kind, flow, NOTHING),
    }
    this.#stream = new ChannelStream(socket, {
      maxBufferBytes,
      onItem: (kind, flow, payload) => dispatchItem(handlers, kind, flow, payload),
      onEnd: () => this.#stream?.end(),
      onClose: () => {},
    })
    this.#ping(performance.now())
  }

  #ping(now: number): void {
    this.#pingedAt = now
    this.#pings += 1
    this.#stream?.send(ItemKind.PING, this.#pings, NOTHING)
  }

  #down(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.onDown()
  }
}

function ignore(): void {}
