/**
 * What a datagram channel carries: items of kind u8, flow u32, length u16 (big endian) and payload. A UDP packet holds a bundle of
 * whole items, the fallback stream one after another. No I/O here.
 */

/** The largest payload of a UDP datagram over IPv4 (RFC 768, RFC 791). */
export const MAX_ITEM_BYTES = 65_507
export const ITEM_HEADER_BYTES = 7

/** Below 32: of the flows. From 32 on: of the channel itself. Unknown ones are passed over. */
export const ItemKind: {
  readonly OPEN: 1
  readonly OPENED: 2
  readonly REJECTED: 3
  readonly DATA: 4
  readonly CLOSE: 5
  readonly UNKNOWN: 6
  readonly PING: 32
  readonly PONG: 33
  readonly PROBE: 34
  readonly PROBE_ACK: 35
  readonly FRAGMENT: 36
  readonly RECEIVED: 37
} = Object.freeze({
  OPEN: 1,
  OPENED: 2,
  REJECTED: 3,
  DATA: 4,
  CLOSE: 5,
  UNKNOWN: 6,
  /** `flow`: a number that PONG repeats. */
  PING: 32,
  PONG: 33,
  /** Padding up to the size that is tried; `flow`: a number that PROBE_ACK repeats. */
  PROBE: 34,
  PROBE_ACK: 35,
  FRAGMENT: 36,
  /** On a stream only; `flow`: how many bytes of it have arrived since the last one. */
  RECEIVED: 37,
})

export const FIRST_CHANNEL_KIND = 32

export type OnItem = (kind: number, flow: number, payload: Buffer) => void

/** Gives the offset behind the item. The caller has made sure that it fits. */
export function writeItem(into: Buffer, at: number, kind: number, flow: number, payload: Uint8Array): number {
  const { length } = payload
  writeItemHeader(into, at, kind, flow, length)
  into.set(payload, at + ITEM_HEADER_BYTES)
  return at + ITEM_HEADER_BYTES + length
}

export function writeItemHeader(into: Buffer, at: number, kind: number, flow: number, length: number): void {
  into[at] = kind
  into[at + 1] = flow >>> 24
  into[at + 2] = flow >>> 16
  into[at + 3] = flow >>> 8
  into[at + 4] = flow
  into[at + 5] = length >>> 8
  into[at + 6] = length
}

/**
 * Calls `onItem` for every whole item; payloads are views. Gives the offset of the first byte that was not used: the beginning of an item
 * that is not whole yet. -1 when an item is announced that nobody may send.
 */
export function readItems(bytes: Buffer, onItem: OnItem): number {
  let at = 0
  while (at + ITEM_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt16BE(at + 5)
    if (length > MAX_ITEM_BYTES) return -1
    const from = at + ITEM_HEADER_BYTES
    if (from + length > bytes.length) break
    onItem(bytes.readUInt8(at), bytes.readUInt32BE(at + 1), bytes.subarray(from, from + length))
    at = from + length
  }
  return at
}
