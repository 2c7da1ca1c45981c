/** A frame on the data port: type u8, length u32 big endian, payload. No I/O here. */

export const FRAME_HEADER_BYTES = 5

export interface Frame {
  type: number
  payload: Buffer
}

/** `next` is the offset behind what was used of the chunk. */
export type FrameRead =
  | { status: 'more' }
  | { status: 'frame'; frame: Frame; next: number }
  | { status: 'error'; error: 'frame_too_large' }

export function encodeFrame(type: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length)
  frame.writeUInt8(type, 0)
  frame.writeUInt32BE(payload.length, 1)
  frame.set(payload, FRAME_HEADER_BYTES)
  return frame
}

/**
 * Takes chunks as they come and gives frames one by one, so that a caller may stop behind any frame and use the rest otherwise.
 * Holds at most one payload; one announced as larger than `maxPayloadBytes` is an error at once, and the reader stays in error.
 */
export class FrameReader {
  readonly #maxPayloadBytes: number
  readonly #header: Buffer = Buffer.alloc(FRAME_HEADER_BYTES)
  #headerLength = 0
  #payload: Buffer | undefined
  #payloadLength = 0
  #failed = false

  constructor(maxPayloadBytes: number) {
    this.#maxPayloadBytes = maxPayloadBytes
  }

  read(chunk: Buffer, offset: number): FrameRead {
    if (this.#failed) return { status: 'error', error: 'frame_too_large' }
    let at = offset
    if (this.#payload === undefined) {
      const taken = chunk.copy(this.#header, this.#headerLength, at, at + FRAME_HEADER_BYTES - this.#headerLength)
      at += taken
      this.#headerLength += taken
      if (this.#headerLength < FRAME_HEADER_BYTES) return { status: 'more' }
      const length = this.#header.readUInt32BE(1)
      if (length > this.#maxPayloadBytes) {
        this.#failed = true
        return { status: 'error', error: 'frame_too_large' }
      }
      this.#payload = Buffer.allocUnsafe(length)
      this.#payloadLength = 0
    }
    const payload = this.#payload
    const taken = chunk.copy(payload, this.#payloadLength, at, at + payload.length - this.#payloadLength)
    at += taken
    this.#payloadLength += taken
    if (this.#payloadLength < payload.length) return { status: 'more' }
    this.#payload = undefined
    this.#headerLength = 0
    return { status: 'frame', frame: { type: this.#header.readUInt8(0), payload }, next: at }
  }
}
