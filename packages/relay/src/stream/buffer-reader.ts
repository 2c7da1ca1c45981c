import type { Socket } from 'node:net'
import type { BufferUser, OwnBuffers } from './own-buffers.js'
import type { ByteTaker, SocketReader } from './socket-reader.js'

/** What a busy socket reads at once, with the room in front of it: so a whole CHUNK, header and all, is one read for the next. */
const BUFFER_BYTES = 262_144
/** What TLS gives at a time at most. */
const RECORD_BYTES = 16_384
/** A socket that brings so much at once gets a buffer of its own. */
const BUSY_BYTES = 32_768
/** Up to here a copy costs less than having to wait for a write. */
const COPIED_BYTES = 4_096
/** A buffer that was not needed for this long is given up; doubles each time. */
const MIN_QUIET_MS = 1_000
const MAX_QUIET_MS = 60_000

/**
 * Sockets that are not busy all read into this, and have their bytes copied out before the next is read. Nothing stays in it, so one for
 * the process shares nothing between two relays, and needs no way to each socket.
 */
const SCRATCH: Buffer = Buffer.allocUnsafeSlow(65_536)

/** Reads into a buffer that is used again and again: one for all sockets, or one of its own when there is much to read. */
export class BufferReader implements SocketReader, BufferUser {
  readonly headroom: number
  readonly #socket: Socket
  readonly #buffers: OwnBuffers
  readonly #taker: ByteTaker
  #held = true
  #passing = false
  #ended = false
  /** Its own, or copied bytes that were not taken yet. */
  #buffer: Buffer | undefined
  #own = false
  /** What it lent of its own is needed for longer. */
  #abandoned = false
  /** What waits to be taken is between these. */
  #from = 0
  #to = 0
  /** Where in its own buffer the next read begins, and how much fits there. */
  #landing = 0
  #space = 0
  /** How much the next read had best bring, when there is more: set by the taker, for one read. */
  #wanted = 0
  #gathers = false
  #busy = false
  #quiet: NodeJS.Timeout | undefined
  #quietMs = MIN_QUIET_MS

  constructor(socket: Socket, headroom: number, buffers: OwnBuffers, taker: ByteTaker) {
    this.headroom = headroom
    this.#socket = socket
    this.#buffers = buffers
    this.#taker = taker
    buffers.stop()
    buffers.install(SCRATCH, this)
    socket.on('end', () => {
      this.#ended = true
      if (this.#from === this.#to) taker.takeEnd()
    })
  }

  get held(): boolean {
    return this.#held
  }

  hold(): void {
    this.#held = true
    if (!this.#passing) this.#buffers.stop()
  }

  resume(): void {
    if (!this.#held) return
    this.#held = false
    if (!this.#passing) this.#goOn()
  }

  want(bytes: number): void {
    this.#wanted = bytes
  }

  abandon(): void {
    this.#abandoned = this.#own
  }

  #goOn(): void {
    if (this.#socket.readableLength > 0) this.#passStream()
    if (!this.#held && this.#from < this.#to) this.#pass()
    if (this.#abandoned) this.#buffers.replace(this.#share())
    if (this.#held) this.#buffers.stop()
    else this.#buffers.start()
  }

  /** What the socket had read before it was taken over. */
  #passStream(): void {
    const bytes = this.#socket.read() as Buffer | null
    if (bytes === null) return
    const copy = Buffer.allocUnsafe(this.headroom + bytes.length)
    bytes.copy(copy, this.headroom)
    const taken = this.#offer(copy.subarray(this.headroom), true)
    // Into the socket, so that its end still is behind it.
    if (taken < bytes.length) this.#socket.unshift(bytes.subarray(taken))
  }

  #offer(bytes: Buffer, kept: boolean): number {
    this.#passing = true
    const taken = this.#taker.take(bytes, kept)
    this.#passing = false
    if (taken < bytes.length) this.#held = true
    return taken
  }

  onRead(bytes: number): Buffer | undefined {
    const next = this.#own ? this.#readOwn(bytes) : this.#readShared(bytes)
    if (this.#held) this.#buffers.stop()
    return this.#abandoned ? this.#share() : next
  }

  #readShared(bytes: number): Buffer | undefined {
    if (this.#held || this.#from < this.#to) {
      this.#append(SCRATCH.subarray(0, bytes))
      return undefined
    }
    const copy = Buffer.allocUnsafe(this.headroom + bytes).subarray(this.headroom)
    SCRATCH.copy(copy, 0, 0, bytes)
    const taken = this.#offer(copy, true)
    if (taken < bytes) this.#append(copy.subarray(taken))
    else if (bytes >= (this.#buffers.portions ? RECORD_BYTES : BUSY_BYTES)) return this.#getOwn()
    return undefined
  }

  /** Behind what waits. In a new buffer: what is in front of it in this one may still be on its way into a socket. */
  #append(bytes: Buffer): void {
    const waiting = this.#to - this.#from
    const joined = Buffer.allocUnsafe(this.headroom + waiting + bytes.length)
    this.#buffer?.copy(joined, this.headroom, this.#from, this.#to)
    bytes.copy(joined, this.headroom + waiting)
    this.#buffer = joined
    this.#from = this.headroom
    this.#to = joined.length
  }

  #getOwn(): Buffer {
    this.#own = true
    this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    this.#from = this.#to = this.#landing = this.headroom
    this.#space = BUFFER_BYTES - this.headroom
    this.#busy = true
    if (this.#quiet === undefined) this.#socket.once('close', () => clearTimeout(this.#quiet))
    this.#watch()
    return this.#buffer.subarray(this.headroom)
  }

  /** Gives its own up, but for a copy of what waits, and reads into the one for all. */
  #share(): Buffer {
    const waiting = this.#buffer?.subarray(this.#from, this.#to)
    clearTimeout(this.#quiet)
    this.#own = this.#abandoned = false
    this.#buffer = undefined
    this.#from = this.#to = 0
    if (waiting !== undefined && waiting.length > 0) this.#append(waiting)
    return SCRATCH
  }

  #readOwn(bytes: number): Buffer | undefined {
    if (this.#from === this.#to) this.#from = this.#landing
    this.#to = this.#landing + bytes
    if (bytes > COPIED_BYTES) this.#busy = true
    const full = bytes === this.#space
    this.#wanted = 0
    // A whole record: more of them are likely to follow at once.
    const more = this.#buffers.portions && bytes === RECORD_BYTES && this.#room() >= RECORD_BYTES
    if (more) this.#passLater()
    else if (!this.#held) this.#pass()
    if (!full) this.#wanted = 0
    return this.#next()
  }

  #passLater(): void {
    if (this.#gathers) return
    this.#gathers = true
    setImmediate(() => {
      this.#gathers = false
      if (this.#held) return
      this.#pass()
      if (this.#held) this.#buffers.stop()
    })
  }

  #room(): number {
    return (this.#buffer?.length ?? 0) - this.#to
  }

  /** The place for the next read, unless it is the same. */
  #next(): Buffer | undefined {
    const buffer = this.#buffer
    if (buffer === undefined) return undefined
    if (this.#from === this.#to && !this.#held) {
      return this.#place(this.headroom, buffer)
    }
    // Stopped, a socket without TLS brings no more before all of this is passed on.
    if (!this.#buffers.portions) return undefined
    if (this.#room() < RECORD_BYTES) {
      const waiting = buffer.subarray(this.#from, this.#to)
      this.#buffer = Buffer.allocUnsafeSlow(this.headroom + 2 * waiting.length + BUFFER_BYTES)
      waiting.copy(this.#buffer, this.headroom)
      this.#from = this.headroom
      this.#to = this.headroom + waiting.length
    }
    return this.#place(this.#to, this.#buffer ?? buffer)
  }

  #place(landing: number, buffer: Buffer): Buffer | undefined {
    const most = buffer.length - landing
    const space = this.#wanted > 0 && !this.#buffers.portions ? Math.min(this.#wanted, most) : most
    if (landing === this.#landing && space === this.#space) return undefined
    this.#landing = landing
    this.#space = space
    return buffer.subarray(landing, landing + space)
  }

  #pass(): void {
    const waiting = this.#buffer?.subarray(this.#from, this.#to)
    if (waiting === undefined || waiting.length === 0) return
    if (!this.#own) {
      const taken = this.#offer(waiting, true)
      this.#from = this.#to
      this.#buffer = undefined
      if (taken < waiting.length) this.#append(waiting.subarray(taken))
    } else if (waiting.length > COPIED_BYTES) this.#from += this.#offer(waiting, false)
    else {
      const copy = Buffer.allocUnsafe(this.headroom + waiting.length).subarray(this.headroom)
      waiting.copy(copy)
      this.#from += this.#offer(copy, true)
    }
    if (this.#ended && this.#from === this.#to) this.#taker.takeEnd()
  }

  #watch(): void {
    this.#quiet = setTimeout(() => {
      const quiet = !this.#busy && !this.#held && this.#from === this.#to
      this.#busy = false
      if (!quiet) return this.#watch()
      this.#quietMs = Math.min(MAX_QUIET_MS, 2 * this.#quietMs)
      this.#buffers.replace(this.#share())
    }, this.#quietMs)
    this.#quiet.unref()
  }
}
