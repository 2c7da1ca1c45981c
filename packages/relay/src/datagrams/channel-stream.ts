import type { Socket } from 'node:net'
import { ItemReader } from './channel-item-reader.js'
import { ITEM_HEADER_BYTES, ItemKind, type OnItem, writeItem } from './channel-items.js'

/** Items gather in pieces of this size; an item that is larger has one for itself. */
const PIECE_BYTES = 16_384
/** A datagram that had to wait longer is of no more use to a game or a call. */
const MAX_WAIT_MS = 1_000
/** One flow may have this part of what may wait, or one datagram: its newest are dropped, so that the others' come through. */
const FLOW_PART = 1 / 4
/** What may be under way before the other side says that it arrived: more would only wait in buffers along the way. */
const MAX_UNDER_WAY_BYTES = 524_288
const RECEIVED_STEP_BYTES = 65_536
/** For the other side to end too. */
const LINGER_MS = 2_000
const NOTHING: Buffer = Buffer.alloc(0)

export interface ChannelStreamOptions {
  /** Waiting here; beyond that the oldest are dropped. */
  maxBufferBytes: number
  /** The payload is valid within the call only. */
  onItem: OnItem
  /** The other side sends no more. */
  onEnd: () => void
  /** Once. */
  onClose: () => void
}

interface Piece {
  bytes: Buffer
  length: number
  since: number
  /** Bytes of each flow. */
  readonly flows: Map<number, number>
}

/** Items over a connected socket, in order, where UDP does not get through. Slow streams lose the oldest of what waits. */
export class ChannelStream {
  readonly #socket: Socket
  readonly #options: ChannelStreamOptions
  readonly #reader: ItemReader = new ItemReader()
  #waiting: Piece[] = []
  #waitingBytes = 0
  /** Of each flow that has some. */
  readonly #waitingOf: Map<number, number> = new Map()
  #writing = false
  #queued: NodeJS.Immediate | undefined
  #underWay = 0
  #unreported = 0
  #ending = false
  #linger: NodeJS.Timeout | undefined
  readonly openedAt: number = performance.now()
  #heardAt: number = this.openedAt
  dropped = 0

  /** Takes the socket over: TCP or TLS, connected, its first frame read or written. */
  constructor(socket: Socket, options: ChannelStreamOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => options.onEnd())
    socket.on('error', ignore)
    socket.on('close', () => {
      clearImmediate(this.#queued)
      clearTimeout(this.#linger)
      this.#waiting = []
      options.onClose()
    })
    socket.resume()
  }

  get heardAt(): number {
    return this.#heardAt
  }

  /** Copies the payload. False: dropped, since too much of the flow waits, or the stream is over. */
  send(kind: number, flow: number, payload: Uint8Array): boolean {
    if (this.#ending || !this.#socket.writable) return false
    const bytes = ITEM_HEADER_BYTES + payload.length
    const own = kind === ItemKind.DATA ? (this.#waitingOf.get(flow) ?? 0) : 0
    if (own > 0 && own + bytes > this.#options.maxBufferBytes * FLOW_PART) {
      this.dropped += bytes
      return false
    }
    const last = this.#waiting.at(-1)
    const piece = last !== undefined && last.length + bytes <= last.bytes.length ? last : this.#newPiece(bytes)
    piece.length = writeItem(piece.bytes, piece.length, kind, flow, payload)
    this.#waitingBytes += bytes
    if (kind === ItemKind.DATA) {
      this.#waitingOf.set(flow, own + bytes)
      piece.flows.set(flow, (piece.flows.get(flow) ?? 0) + bytes)
    }
    while (this.#waitingBytes > this.#options.maxBufferBytes && this.#waiting.length > 1) this.#drop()
    if (!this.#writing) this.#queued ??= setImmediate(this.#write)
    return true
  }

  /** Sends what waits, then FIN; goes on reading. */
  end(): void {
    if (this.#ending || this.#socket.destroyed) return
    this.#ending = true
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS)
    if (!this.#writing) this.#write()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #newPiece(bytes: number): Piece {
    const room = Buffer.allocUnsafe(Math.max(bytes, PIECE_BYTES))
    const piece: Piece = { bytes: room, length: 0, since: performance.now(), flows: new Map() }
    this.#waiting.push(piece)
    return piece
  }

  #takeOldest(): Piece | undefined {
    const piece = this.#waiting.shift()
    if (piece === undefined) return undefined
    this.#waitingBytes -= piece.length
    for (const [flow, bytes] of piece.flows) {
      const left = (this.#waitingOf.get(flow) ?? 0) - bytes
      if (left > 0) this.#waitingOf.set(flow, left)
      else this.#waitingOf.delete(flow)
    }
    return piece
  }

  #drop(): void {
    this.dropped += this.#takeOldest()?.length ?? 0
  }

  readonly #write = (): void => {
    this.#queued = undefined
    if (this.#writing || this.#socket.destroyed) return
    const now = performance.now()
    while ((this.#waiting[0]?.since ?? now) < now - MAX_WAIT_MS) this.#drop()
    if (this.#underWay >= MAX_UNDER_WAY_BYTES && !this.#ending) return
    const piece = this.#takeOldest()
    if (piece === undefined) {
      if (this.#ending) this.#socket.end()
      return
    }
    this.#underWay += piece.length
    this.#writing = true
    this.#socket.write(piece.bytes.subarray(0, piece.length), () => {
      this.#writing = false
      this.#write()
    })
  }

  #take(chunk: Buffer): void {
    this.#heardAt = performance.now()
    this.#unreported += chunk.length
    if (!this.#reader.read(chunk, this.#onItem)) {
      this.#socket.destroy()
      return
    }
    if (this.#unreported < RECEIVED_STEP_BYTES) return
    this.send(ItemKind.RECEIVED, this.#unreported, NOTHING)
    this.#unreported = 0
  }

  readonly #onItem: OnItem = (kind, flow, payload) => {
    if (kind !== ItemKind.RECEIVED) {
      if (!this.#socket.destroyed) this.#options.onItem(kind, flow, payload)
      return
    }
    this.#underWay = Math.max(0, this.#underWay - flow)
    if (!this.#writing) this.#queued ??= setImmediate(this.#write)
  }
}

function ignore(): void {}
