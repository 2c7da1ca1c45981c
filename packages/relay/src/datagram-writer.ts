import type { Socket } from 'node:net'
import { encodeDatagram } from './datagram-frame.js'

const FIRST_BATCH_BYTES = 4_096

/**
 * Writes datagrams to a stream in order. While a write is under way the next ones gather in one buffer; when that would grow past
 * `maxBufferBytes` the newest datagram is dropped, as a full queue on a UDP path does.
 */
export class DatagramWriter {
  readonly #stream: Socket
  readonly #maxBufferBytes: number
  #busy = false
  #batch: Buffer = Buffer.alloc(0)
  #batchLength = 0

  constructor(stream: Socket, maxBufferBytes: number) {
    this.#stream = stream
    this.#maxBufferBytes = maxBufferBytes
  }

  /** False when it was dropped. */
  send(payload: Uint8Array): boolean {
    if (!this.#stream.writable) return false
    const frame = encodeDatagram(payload)
    if (!this.#busy) {
      this.#write(frame)
      return true
    }
    const length = this.#batchLength + frame.length
    if (length > this.#maxBufferBytes) return false
    if (length > this.#batch.length) this.#grow(length)
    frame.copy(this.#batch, this.#batchLength)
    this.#batchLength = length
    return true
  }

  #grow(length: number): void {
    const size = Math.min(this.#maxBufferBytes, Math.max(length, this.#batch.length * 2, FIRST_BATCH_BYTES))
    const grown = Buffer.allocUnsafeSlow(size)
    this.#batch.copy(grown, 0, 0, this.#batchLength)
    this.#batch = grown
  }

  #write(bytes: Buffer): void {
    this.#busy = true
    this.#stream.write(bytes, (error) => {
      this.#busy = false
      if (error || this.#batchLength === 0) return
      const batch = this.#batch.subarray(0, this.#batchLength)
      this.#batch = Buffer.alloc(0)
      this.#batchLength = 0
      this.#write(batch)
    })
  }
}
