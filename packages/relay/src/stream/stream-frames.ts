import { FRAME_HEADER_BYTES } from '../link/frame.js'
import { FrameType, MAX_CHUNK_BYTES, MAX_HANDSHAKE_BYTES } from '../link/protocol.js'

/** `next` is the offset behind what was used of the bytes. */
export type StreamFrameRead =
  | { status: 'more' }
  /** Part of a CHUNK's payload, at least one byte: `bytes.subarray(from, to)`. Say with `pass` how many of them are dealt with. */
  | { status: 'chunk'; from: number; to: number }
  | { status: 'frame'; type: number; payload: Buffer; next: number }
  | { status: 'error' }

const MORE: StreamFrameRead = Object.freeze({ status: 'more' })
const ERROR: StreamFrameRead = Object.freeze({ status: 'error' })
const EMPTY = Buffer.alloc(0)

const EMPTY_TYPES: readonly number[] = [
  FrameType.ACCEPT,
  FrameType.END,
  FrameType.ABORT,
  FrameType.RESET,
  FrameType.PING,
  FrameType.PONG,
]

/** The longest payload of each frame there is on a data connection after its first. */
function maxPayloadBytes(type: number): number {
  if (type === FrameType.CHUNK) return MAX_CHUNK_BYTES
  if (type === FrameType.START || type === FrameType.REFUSE) return MAX_HANDSHAKE_BYTES
  return EMPTY_TYPES.includes(type) ? 0 : -1
}

/** Reads the frames of a data connection. A CHUNK's payload is given as it comes and never collected. No I/O here. */
export class StreamFrames {
  /** Of the header that is under way. */
  #headerLength = 0
  #type = 0
  #length = 0
  /** Of the CHUNK that is under way. */
  #left = 0
  #payload: Buffer | undefined
  #payloadLength = 0
  #failed = false

  /** The next of `bytes` from `at` on. After 'chunk' comes `pass`, before anything else. */
  read(bytes: Buffer, at: number): StreamFrameRead {
    if (this.#failed) return ERROR
    if (this.#left > 0)
      return at < bytes.length ? { status: 'chunk', from: at, to: Math.min(bytes.length, at + this.#left) } : MORE
    let next = at
    if (this.#payload === undefined) {
      for (; this.#headerLength < FRAME_HEADER_BYTES; next += 1, this.#headerLength += 1) {
        const byte = bytes[next]
        if (byte === undefined) return MORE
        if (this.#headerLength === 0) this.#type = byte
        else this.#length = this.#length * 256 + byte
      }
      const [type, length] = [this.#type, this.#length]
      this.#length = 0
      if (length > maxPayloadBytes(type) || (type === FrameType.CHUNK && length === 0)) {
        this.#failed = true
        return ERROR
      }
      if (type === FrameType.CHUNK) {
        this.#headerLength = 0
        this.#left = length
        return this.read(bytes, next)
      }
      this.#payload = length === 0 ? EMPTY : Buffer.allocUnsafe(length)
      this.#payloadLength = 0
    }
    const payload = this.#payload
    const taken = bytes.copy(payload, this.#payloadLength, next, next + payload.length - this.#payloadLength)
    next += taken
    this.#payloadLength += taken
    if (this.#payloadLength < payload.length) return MORE
    this.#payload = undefined
    this.#headerLength = 0
    return { status: 'frame', type: this.#type, payload, next }
  }

  /** What is to come of the CHUNK that is under way. */
  get left(): number {
    return this.#left
  }

  /** So many bytes of the CHUNK are dealt with. */
  pass(bytes: number): void {
    this.#left -= bytes
  }
}
