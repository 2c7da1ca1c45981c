import { ITEM_HEADER_BYTES, MAX_ITEM_BYTES } from './channel-items.js'

/** Index u8, count u8, then the kind (u8) and flow (u32) of the whole item. The FRAGMENT item's own flow is the item's number. */
const FRAGMENT_HEADER_BYTES = 7
const MAX_FRAGMENTS = 255
/** Items under way at once; when there are more, the oldest is given up. */
const MAX_ITEMS = 64
/** What has not come together by now will not: its rest was lost. */
const MAX_AGE_MS = 2_000

/**
 * Cuts an item that is larger than a packet into payloads of FRAGMENT items. `firstBytes` and `maxBytes`: room for a whole FRAGMENT item in
 * the packet that is begun, and in an empty one.
 */
export function* splitItem(
  kind: number,
  flow: number,
  payload: Uint8Array,
  firstBytes: number,
  maxBytes: number,
): Generator<Buffer> {
  const overhead = ITEM_HEADER_BYTES + FRAGMENT_HEADER_BYTES
  const first = Math.min(firstBytes - overhead, payload.length)
  const most = maxBytes - overhead
  const count = 1 + Math.ceil((payload.length - first) / most)
  let at = 0
  for (let index = 0; index < count; index += 1) {
    const end = Math.min(at + (index === 0 ? first : most), payload.length)
    const fragment = Buffer.allocUnsafe(FRAGMENT_HEADER_BYTES + end - at)
    fragment[0] = index
    fragment[1] = count
    fragment[2] = kind
    fragment.writeUInt32BE(flow, 3)
    fragment.set(payload.subarray(at, end), FRAGMENT_HEADER_BYTES)
    yield fragment
    at = end
  }
}

interface PartialItem {
  kind: number
  flow: number
  pieces: (Buffer | undefined)[]
  missing: number
  bytes: number
  since: number
}

/** Puts fragments together again. Holds what has arrived, no more than `maxBytes` of it, and none for long. */
export class Reassembly {
  readonly #maxBytes: number
  readonly #items: Map<number, PartialItem> = new Map()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = Math.max(maxBytes, MAX_ITEM_BYTES)
  }

  get size(): number {
    return this.#items.size
  }

  /** Copies what it keeps. `now`: milliseconds, of any clock that does not go back. */
  add(id: number, fragment: Buffer, now: number, onWhole: (kind: number, flow: number, payload: Buffer) => void): void {
    if (fragment.length < FRAGMENT_HEADER_BYTES) return
    const index = fragment.readUInt8(0)
    const count = fragment.readUInt8(1)
    const kind = fragment.readUInt8(2)
    const flow = fragment.readUInt32BE(3)
    if (index >= count || count > MAX_FRAGMENTS) return
    const item = this.#items.get(id) ?? this.#begin(id, kind, flow, count, now)
    if (item.kind !== kind || item.flow !== flow || item.pieces.length !== count) return
    if (item.pieces[index] !== undefined) return
    const piece = Buffer.from(fragment.subarray(FRAGMENT_HEADER_BYTES))
    if (item.bytes + piece.length > MAX_ITEM_BYTES) {
      this.#remove(id, item)
      return
    }
    item.pieces[index] = piece
    item.missing -= 1
    item.bytes += piece.length
    this.#bytes += piece.length
    if (item.missing === 0) {
      this.#remove(id, item)
      onWhole(kind, flow, Buffer.concat(item.pieces as Buffer[]))
      return
    }
    this.#makeRoom()
  }

  expire(now: number): void {
    for (const [id, item] of this.#items) {
      if (now - item.since < MAX_AGE_MS) return
      this.#remove(id, item)
    }
  }

  #begin(id: number, kind: number, flow: number, count: number, now: number): PartialItem {
    this.expire(now)
    const pieces = new Array<Buffer | undefined>(count).fill(undefined)
    const item: PartialItem = { kind, flow, pieces, missing: count, bytes: 0, since: now }
    this.#items.set(id, item)
    return item
  }

  #makeRoom(): void {
    for (const [id, item] of this.#items) {
      if (this.#bytes <= this.#maxBytes && this.#items.size <= MAX_ITEMS) return
      this.#remove(id, item)
    }
  }

  #remove(id: number, item: PartialItem): void {
    this.#items.delete(id)
    this.#bytes -= item.bytes
  }
}
