/** Datagrams on a stream: length u16 big endian, payload; a length of zero is an empty datagram. No I/O here. */

/** The largest payload of a UDP datagram over IPv4 (RFC 768, RFC 791). */
export const MAX_DATAGRAM_BYTES = 65_507

const HEADER_BYTES = 2

export function encodeDatagram(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  frame.writeUInt16BE(payload.length, 0)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/** Takes chunks as they come and gives whole datagrams. Holds at most one. */
export class DatagramReader {
  /** The first byte of a length whose second is in the next chunk. */
  #highByte: number | undefined
  #partial: Buffer | undefined
  #partialLength = 0

  /**
   * Calls `onDatagram` for each datagram that is whole now; its payload is a view of the chunk where it can be, so it is valid only
   * as long as the chunk. Returns false when the stream announces what no datagram can be; then it is of no more use.
   */
  read(chunk: Buffer, onDatagram: (payload: Buffer) => void): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#partial !== undefined) {
        at += this.#fillPartial(this.#partial, chunk, at, onDatagram)
        continue
      }
      if (this.#highByte === undefined && at + 1 === chunk.length) {
        this.#highByte = chunk.readUInt8(at)
        return true
      }
      const high = this.#highByte ?? chunk.readUInt8(at++)
      const length = high * 256 + chunk.readUInt8(at++)
      this.#highByte = undefined
      if (length > MAX_DATAGRAM_BYTES) return false
      if (at + length <= chunk.length) {
        onDatagram(chunk.subarray(at, at + length))
        at += length
      } else {
        this.#partial = Buffer.allocUnsafe(length)
        this.#partialLength = 0
      }
    }
    return true
  }

  #fillPartial(partial: Buffer, chunk: Buffer, at: number, onDatagram: (payload: Buffer) => void): number {
    const taken = chunk.copy(partial, this.#partialLength, at)
    this.#partialLength += taken
    if (this.#partialLength === partial.length) {
      this.#partial = undefined
      onDatagram(partial)
    }
    return taken
  }
}
