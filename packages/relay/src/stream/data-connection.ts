import type { Socket } from 'node:net'
import { encodeFrame, FRAME_HEADER_BYTES } from '../link/frame.js'
import { encodeMessage, FrameType, MAX_CHUNK_BYTES, parseStart, type StartMessage } from '../link/protocol.js'
import { frameInPlace, writeChunks } from './chunk-frames.js'
import { RunningExchange } from './exchange.js'
import type { Carrier, Exchange, StartHandlers } from './exchange-types.js'
import { type ByteTaker, readSocket, type SocketReader } from './socket-reader.js'
import { isBlocked, writeBytes } from './socket-writer.js'
import { StreamFrames } from './stream-frames.js'

export type { Exchange, JoinOptions, SpliceCounts, SpliceEnd, StartHandlers } from './exchange-types.js'

export interface DataConnectionOptions {
  /** See RelayLimits. */
  flushTimeoutMs: number
  /** Agent only: the relay began an exchange. */
  onStart?: (message: StartMessage, exchange: Exchange) => void
  /** The exchange is over and the connection can serve the next. Never within a call of the caller's. */
  onReady: () => void
  /** Once. Whether ready or in an exchange, whose own onClose has been called before. */
  onClose: () => void
}

const EMPTY = Buffer.alloc(0)
const ACCEPT_WAIT_MS = 2

/**
 * A connection between relay and agent that serves one player after another. Takes the socket over, made with `allowHalfOpen: true`, plain
 * or TLS, from behind its first frame; bytes already read must have been unshifted. What is not expected of the peer closes it.
 */
export class DataConnection implements Carrier, ByteTaker {
  readonly flushTimeoutMs: number
  readonly #socket: Socket
  readonly #options: DataConnectionOptions
  readonly #reader: SocketReader
  readonly #frames: StreamFrames = new StreamFrames()
  #exchange: RunningExchange | undefined
  /** The last exchange is over, and nobody was told yet. */
  #toAnnounce = false
  /** Frames that go with the next write. */
  #waiting: Buffer | undefined
  /** A PING came while nothing could be sent. */
  #owesPong = false
  #closed = false
  #closing = false

  constructor(socket: Socket, options: DataConnectionOptions) {
    this.flushTimeoutMs = options.flushTimeoutMs
    this.#socket = socket
    this.#options = options
    socket.on('error', ignore)
    socket.on('drain', this.#onDrain)
    socket.on('timeout', () => this.destroy())
    socket.on('close', () => this.#onClose())
    this.#reader = readSocket(socket, 0, this)
    if (socket.closed) queueMicrotask(() => this.#onClose())
    else this.#reader.resume()
  }

  get ready(): boolean {
    return this.#exchange === undefined && !this.#toAnnounce && !this.closed
  }

  get closed(): boolean {
    return this.#closed || this.#closing || this.#socket.destroyed
  }

  /** Relay, when ready: begins an exchange. What is sent and joined may follow at once. */
  start(message: StartMessage, handlers: StartHandlers): Exchange {
    const exchange = new RunningExchange(this, handlers)
    this.#exchange = exchange
    this.sendFrame(FrameType.START, encodeMessage(message))
    return exchange
  }

  /** Ready: ends it. In an exchange: breaks that off. */
  close(): void {
    if (this.closed) return
    this.#closing = true
    if (this.#exchange === undefined) this.#end()
    else this.#socket.destroy()
  }

  #end(): void {
    this.#socket.setTimeout(this.flushTimeoutMs)
    this.#socket.destroySoon()
  }

  /** Asks for a sign of life while it serves a player. Nothing when more waits to be sent than should, which is one. */
  ping(): void {
    if (this.#exchange !== undefined && !this.closed && !this.blocked) this.sendFrame(FrameType.PING)
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /** Nothing is read, since a player or target is slow. */
  get held(): boolean {
    return this.#reader.held
  }

  // What the exchange needs.

  get blocked(): boolean {
    return isBlocked(this.#socket)
  }

  sendFrame(type: number, payload: Buffer = EMPTY): void {
    if (this.#socket.destroyed) return
    const frame = encodeFrame(type, payload)
    // The first frames of an exchange wait a moment for something to go with: a packet less for both sides.
    if (type === FrameType.START) setImmediate(() => setImmediate(this.#flush))
    else if (type === FrameType.ACCEPT) setTimeout(this.#flush, ACCEPT_WAIT_MS)
    else {
      this.#socket.write(this.#behindWaiting(frame), this.#onWritten)
      return
    }
    this.#waiting = this.#behindWaiting(frame)
  }

  #behindWaiting(bytes: Buffer): Buffer {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting === undefined ? bytes : Buffer.concat([waiting, bytes])
  }

  readonly #flush = (): void => {
    if (this.#waiting === undefined) return
    this.#socket.write(this.#waiting, this.#onWritten)
    this.#waiting = undefined
  }

  sendChunk(bytes: Buffer, headroom: number, told: boolean): boolean {
    if (headroom < FRAME_HEADER_BYTES || bytes.length > MAX_CHUNK_BYTES) {
      this.#flush()
      return writeChunks(this.#socket, bytes)
    }
    const frame = frameInPlace(bytes)
    if (!told && this.#waiting !== undefined)
      return writeBytes(this.#socket, this.#behindWaiting(frame), false, this.#onDrain)
    this.#flush()
    return writeBytes(this.#socket, frame, told, this.#onDrain)
  }

  hold(): void {
    this.#reader.hold()
  }

  resume(): void {
    this.#reader.resume()
  }

  settled(needed: boolean): void {
    this.#exchange = undefined
    this.#toAnnounce = true
    if (needed) this.#reader.abandon()
    if (this.#socket.writableLength > 0) this.#socket.setTimeout(this.flushTimeoutMs)
    else queueMicrotask(this.#announce)
    this.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // What the socket tells.

  readonly #onDrain = (): void => {
    // Told of one write of several.
    if (this.#socket.writableLength > 0) return
    if (this.#owesPong) this.#pong()
    this.#exchange?.onDrain()
  }

  /** A frame is sent: what was written before it may have been waited for, and was not the last then. */
  readonly #onWritten = (): void => {
    this.#onDrain()
    this.#announce()
  }

  readonly #announce = (): void => {
    if (this.#toAnnounce && this.#socket.writableLength === 0) this.#tellReady()
  }

  #tellReady(): void {
    this.#toAnnounce = false
    if (this.#socket.timeout !== undefined && this.#socket.timeout > 0) this.#socket.setTimeout(0)
    if (!this.closed) this.#options.onReady()
  }

  take(bytes: Buffer, kept: boolean): number {
    let at = 0
    while (!this.#socket.destroyed) {
      const read = this.#frames.read(bytes, at)
      if (read.status === 'more') break
      if (read.status === 'error') {
        this.destroy()
        break
      }
      if (read.status === 'chunk') {
        const passed = this.#exchange?.onChunk(bytes.subarray(read.from, read.to), kept)
        if (passed === undefined) {
          this.destroy()
          break
        }
        this.#frames.pass(passed)
        at = read.from + passed
        if (at < read.to) return at
      } else {
        at = read.next
        if (!this.#onFrame(read.type, read.payload)) this.destroy()
      }
    }
    // So that the read after it begins with a header, and brings one whole CHUNK to pass on at once.
    this.#reader.want(this.#frames.left)
    return bytes.length
  }

  #pong(): void {
    // One answer for all of them, so that who asks and does not read gets no more to wait for him.
    this.#owesPong = this.blocked
    if (!this.#owesPong) this.sendFrame(FrameType.PONG)
  }

  #onFrame(type: number, payload: Buffer): boolean {
    if (type === FrameType.PONG) return true
    if (type === FrameType.PING) {
      this.#pong()
      return true
    }
    if (type === FrameType.RESET) {
      this.#exchange?.onReset()
      return true
    }
    if (this.#exchange !== undefined) return this.#exchange.onFrame(type, payload)
    const { onStart } = this.#options
    const message = type === FrameType.START && onStart !== undefined ? parseStart(payload) : undefined
    if (onStart === undefined || message === undefined || this.closed) return false
    // The relay knows already that the one before is over.
    if (this.#toAnnounce) this.#tellReady()
    const exchange = new RunningExchange(this)
    this.#exchange = exchange
    onStart(message, exchange)
    return true
  }

  takeEnd(): void {
    // Nobody ends a connection that still serves a player, but who breaks it off.
    if (this.#exchange === undefined) this.#end()
    else this.destroy()
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting = undefined
    this.#toAnnounce = false
    const exchange = this.#exchange
    this.#exchange = undefined
    if (exchange === undefined) this.#options.onClose()
    else exchange.onLost(this.#options.onClose)
  }
}

function ignore(): void {}
