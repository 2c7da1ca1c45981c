import { randomInt } from 'node:crypto'
import { splitItem } from './channel-fragments.js'
import { ITEM_HEADER_BYTES, ItemKind, writeItem } from './channel-items.js'
import type { Flushable, TurnEnd } from './channel-turn.js'

/** When less than this is left in a packet, an item in fragments begins in the next. */
const MIN_FIRST_FRAGMENT_BYTES = 256
/** Of a fragmented item: u32. */
const MAX_NUMBER = 2 ** 32 - 1

export interface BundleTarget {
  /** May use the bundle within the call only. */
  emit(bundle: Buffer): void
}

/** Gathers the items of one turn of the event loop into as few packets as they fit in. */
export class Bundler implements Flushable {
  readonly #turnEnd: TurnEnd
  readonly #target: BundleTarget
  #maxBytes: number
  #buffer: Buffer | undefined
  #length = 0
  /** Where this bundle must end. */
  #end = 0
  #queued = false
  /** Not from 0: an agent that comes anew must not add to what one before it left unfinished. */
  #nextFragmented: number = randomInt(MAX_NUMBER)

  constructor(turnEnd: TurnEnd, maxBytes: number, target: BundleTarget) {
    this.#turnEnd = turnEnd
    this.#maxBytes = maxBytes
    this.#target = target
  }

  /** The largest bundle, from the next one on. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes
  }

  add(kind: number, flow: number, payload: Uint8Array): void {
    const bytes = ITEM_HEADER_BYTES + payload.length
    if (bytes > this.#maxBytes) {
      this.#addFragments(kind, flow, payload)
      return
    }
    if (this.#length + bytes > this.#end) this.flush()
    this.#length = writeItem(this.#begun(), this.#length, kind, flow, payload)
  }

  flush(): void {
    this.#queued = false
    const buffer = this.#buffer
    if (buffer === undefined) return
    const length = this.#length
    this.#buffer = undefined
    this.#length = 0
    this.#end = 0
    if (length > 0) this.#target.emit(buffer.subarray(0, length))
    this.#turnEnd.giveBack(buffer)
  }

  #addFragments(kind: number, flow: number, payload: Uint8Array): void {
    if (this.#length > 0 && this.#end - this.#length < MIN_FIRST_FRAGMENT_BYTES) this.flush()
    const first = this.#length > 0 ? this.#end - this.#length : this.#maxBytes
    const id = this.#nextFragmented
    this.#nextFragmented = (id + 1) >>> 0
    for (const fragment of splitItem(kind, flow, payload, first, this.#maxBytes))
      this.add(ItemKind.FRAGMENT, id, fragment)
  }

  #begun(): Buffer {
    if (this.#buffer === undefined) {
      this.#buffer = this.#turnEnd.borrow(this.#maxBytes)
      this.#end = this.#maxBytes
      if (!this.#queued) {
        this.#queued = true
        this.#turnEnd.add(this)
      }
    }
    return this.#buffer
  }
}
