import { addressBytes, isMapped, parseIpAddress } from './ip-address.js'

const PREFIX = /^(?:0|[1-9]\d{0,2})$/
/** Bits of an IPv6 address before the IPv4 address that it maps. */
const MAPPED_BITS = 96

/** A range of addresses: those that are the same as `bytes` in the first `bits`; the rest of `bytes` is zero. */
interface Range {
  family: 4 | 6
  bytes: Uint8Array
  bits: number
}

/** True for an address or a CIDR range (RFC 4632, RFC 4291 section 2.3). Bits beyond the prefix are allowed and count nothing. */
export function isAddressRule(text: string): boolean {
  return parseRange(text) !== undefined
}

/** Addresses and ranges, read once. IPv4 players match only IPv4 rules (also written as mapped IPv6), others only IPv6 rules. */
export class AddressRules {
  readonly #v4: RangeTable
  readonly #v6: RangeTable

  /** @param rules each for which `isAddressRule` is true; others are passed over */
  constructor(rules: readonly string[]) {
    const ranges = rules.map(parseRange).filter((range) => range !== undefined)
    this.#v4 = new RangeTable(ranges.filter(({ family }) => family === 4))
    this.#v6 = new RangeTable(ranges.filter(({ family }) => family === 6))
  }

  /** What is no address matches nothing. */
  matches(address: string): boolean {
    const parsed = parseIpAddress(address)
    if (parsed === undefined) return false
    return (parsed.family === 4 ? this.#v4 : this.#v6).has(parsed.bytes)
  }
}

/** Ranges in the order of their first addresses, none within another: an address is looked for in log2 steps, however many there are. */
class RangeTable {
  readonly #ranges: readonly Range[]

  constructor(ranges: readonly Range[]) {
    const sorted = [...ranges].sort((a, b) => compare(a.bytes, b.bytes) || a.bits - b.bits)
    const kept: Range[] = []
    // Of two that meet, one holds the other: CIDR ranges do not overlap in part.
    for (const range of sorted) {
      const last = kept.at(-1)
      if (last === undefined || !holds(last, range.bytes)) kept.push(range)
    }
    this.#ranges = kept
  }

  has(bytes: Uint8Array): boolean {
    let [from, to] = [0, this.#ranges.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (compare((this.#ranges[middle] as Range).bytes, bytes) <= 0) from = middle + 1
      else to = middle
    }
    const nearest = this.#ranges[from - 1]
    return nearest !== undefined && holds(nearest, bytes)
  }
}

function holds({ bytes, bits }: Range, address: Uint8Array): boolean {
  const whole = bits >> 3
  for (let at = 0; at < whole; at += 1) if (bytes[at] !== address[at]) return false
  const rest = bits & 7
  return rest === 0 || ((bytes[whole] as number) ^ (address[whole] as number)) >> (8 - rest) === 0
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at += 1) {
    const difference = (a[at] as number) - (b[at] as number)
    if (difference !== 0) return difference
  }
  return 0
}

function parseRange(text: string): Range | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const bytes = addressBytes(address)
  if (bytes === undefined || more.length > 0) return undefined
  const all = bytes.length * 8
  if (prefix !== undefined && !PREFIX.test(prefix)) return undefined
  const bits = prefix === undefined ? all : Number(prefix)
  if (bits > all) return undefined
  if (all === 32) return { family: 4, bytes: masked(bytes, bits), bits }
  if (bits < MAPPED_BITS || !isMapped(bytes)) return { family: 6, bytes: masked(bytes, bits), bits }
  return { family: 4, bytes: masked(bytes.subarray(12), bits - MAPPED_BITS), bits: bits - MAPPED_BITS }
}

/** The first address of the range: what is beyond the prefix counts nothing. */
function masked(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, at) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - at * 8))) & 0xff)
}
