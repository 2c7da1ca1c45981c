import { ITEM_HEADER_BYTES, MAX_ITEM_BYTES, type OnItem, readItems } from './channel-items.js'

/** Takes a stream's chunks as they come and gives whole items. Holds at most one. No I/O here. */
export class ItemReader {
  readonly #header: Buffer = Buffer.alloc(ITEM_HEADER_BYTES)
  #headerLength = 0
  #partial: Buffer | undefined
  #partialLength = 0

  /**
   * Payloads are views of the chunk where they can be, so they are valid within the call only. False when the stream announces what no
   * item can be; then it is of no more use.
   */
  read(chunk: Buffer, onItem: OnItem): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#partial !== undefined) {
        at += this.#fill(this.#partial, chunk, at, onItem)
        continue
      }
      if (this.#headerLength === 0) {
        const used = readItems(at === 0 ? chunk : chunk.subarray(at), onItem)
        if (used < 0) return false
        at += used
      }
      const taken = chunk.copy(this.#header, this.#headerLength, at)
      at += taken
      this.#headerLength += taken
      if (this.#headerLength === ITEM_HEADER_BYTES && !this.#begin(onItem)) return false
    }
    return true
  }

  #begin(onItem: OnItem): boolean {
    const length = this.#header.readUInt16BE(ITEM_HEADER_BYTES - 2)
    if (length > MAX_ITEM_BYTES) return false
    const item = Buffer.allocUnsafe(ITEM_HEADER_BYTES + length)
    this.#header.copy(item)
    this.#headerLength = 0
    this.#partial = item
    this.#partialLength = ITEM_HEADER_BYTES
    if (length === 0) this.#fill(item, item, item.length, onItem)
    return true
  }

  #fill(partial: Buffer, chunk: Buffer, at: number, onItem: OnItem): number {
    const taken = chunk.copy(partial, this.#partialLength, at)
    this.#partialLength += taken
    if (this.#partialLength === partial.length) {
      this.#partial = undefined
      readItems(partial, onItem)
    }
    return taken
  }
}
