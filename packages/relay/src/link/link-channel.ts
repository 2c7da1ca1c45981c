import type { Socket } from 'node:net'
import { encodeFrame, type Frame, FrameReader } from './frame.js'
import { FrameType, isPing, MAX_LINK_FRAME_BYTES } from './protocol.js'

export interface LinkChannelOptions {
  heartbeatMs: number
  /** Nothing heard for this long: dead. */
  timeoutMs: number
  /** More than this waiting to be sent: the other side does not read, dead. */
  maxBufferBytes: number
  /** Every frame but PING and PONG. Returns false for what does not belong there; that ends the link. */
  onFrame: (frame: Frame) => boolean
  /** At the first sign of life, and only then. */
  onAlive?: () => void
  /** Once. `reason` is 'closed', 'timeout', 'protocol', 'overflow' or a system error code. */
  onClose: (reason: string) => void
}

const FAREWELL_MS = 1_000
const PROBE_TURN_MS = 1_000
const PROBE_TURNS = 3
const MAX_PINGS_OPEN = 0xffff
/** One heartbeat may be on its way. */
const MIN_DEAD_AFTER_BEATS = 2

/** One end of a link that is up: frames both ways, heartbeat, bounds. Takes the socket over, bytes already read unshifted. */
export class LinkChannel {
  readonly #socket: Socket
  readonly #options: LinkChannelOptions
  readonly #reader: FrameReader = new FrameReader(MAX_LINK_FRAME_BYTES)
  readonly #heartbeat: NodeJS.Timeout
  readonly #deadAfterBeats: number
  #silentBeats = 0
  #heard = false
  #pingNumber = 0
  /** Answers to this PING and later ones count. */
  #probeNumber = 0
  #probe: NodeJS.Timeout | undefined
  #pingSentAt = 0
  #rttMs: number | undefined
  #reason = 'closed'
  #closing = false

  constructor(socket: Socket, options: LinkChannelOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => this.#because(error.code ?? 'error'))
    socket.on('close', () => {
      clearInterval(this.#heartbeat)
      clearInterval(this.#probe)
      options.onClose(this.#reason)
    })
    const { heartbeatMs, timeoutMs } = options
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs)
    this.#deadAfterBeats = Math.max(MIN_DEAD_AFTER_BEATS, Math.floor(timeoutMs / heartbeatMs))
    socket.resume()
  }

  get rttMs(): number | undefined {
    return this.#rttMs
  }

  send(type: number, payload: Uint8Array): void {
    if (this.#closing || this.#socket.destroyed) return
    this.#socket.write(encodeFrame(type, payload))
    if (this.#socket.writableLength > this.#options.maxBufferBytes) this.#fail('overflow')
  }

  ping(): void {
    this.#pingNumber = (this.#pingNumber + 1) >>> 0
    this.#pingSentAt = performance.now()
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(this.#pingNumber)
    this.send(FrameType.PING, payload)
  }

  /** Without an answer within 3 s the link is dead. Turns of a timer, as the beats; what was heard before counts nothing. */
  probe(): void {
    if (this.#closing || this.#probe !== undefined) return
    this.ping()
    this.#probeNumber = this.#pingNumber
    let turns = PROBE_TURNS
    this.#probe = setInterval(() => {
      turns -= 1
      if (turns === 0) this.#fail('timeout')
    }, PROBE_TURN_MS)
  }

  /** Hears nothing more, sends what is written and closes. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), FAREWELL_MS)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#silentBeats = 0
    let offset = 0
    while (!this.#closing) {
      const read = this.#reader.read(chunk, offset)
      if (read.status === 'more') return
      if (read.status === 'error' || !this.#handle(read.frame)) {
        this.#fail('protocol')
        return
      }
      offset = read.next
    }
  }

  #handle(frame: Frame): boolean {
    if (!this.#heard) {
      this.#heard = true
      this.#options.onAlive?.()
    }
    if (frame.type === FrameType.PING) {
      if (!isPing(frame.payload)) return false
      this.send(FrameType.PONG, frame.payload)
      return true
    }
    if (frame.type === FrameType.PONG) {
      if (frame.payload.length === 4) this.#pong(frame.payload.readUInt32BE(0))
      return true
    }
    return this.#options.onFrame(frame)
  }

  #pong(number: number): void {
    if (number === this.#pingNumber) this.#rttMs = performance.now() - this.#pingSentAt
    // Numbers wrap.
    if (this.#probe === undefined || (number - this.#probeNumber) >>> 0 > MAX_PINGS_OPEN) return
    clearInterval(this.#probe)
    this.#probe = undefined
  }

  #beat(): void {
    // Beats, not time: a process that was held up for long finds what has arrived only after its timers.
    this.#silentBeats += 1
    if (this.#silentBeats >= this.#deadAfterBeats) this.#fail('timeout')
    else this.ping()
  }

  #fail(reason: string): void {
    this.#because(reason)
    this.destroy()
  }

  #because(reason: string): void {
    if (this.#reason === 'closed') this.#reason = reason
  }
}
