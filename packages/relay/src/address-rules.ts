import { addressBytes, isMapped, parseIpAddress } from './ip-address.js'

const PREFIX = /^(?:0|[1-9]\d{0,2})$/
/** Bits of an IPv6 address before the IPv4 address that it maps. */
const MAPPED_BITS = 96

/** A range of addresses: the first bytes of each are `bytes`, up to `bits`. */
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
  /** For each rule: its words of 32 bits, then its mask. */
  readonly #v4: Uint32Array
  readonly #v6: Uint32Array

  /** @param rules each for which `isAddressRule` is true; others are passed over */
  constructor(rules: readonly string[]) {
    const ranges = rules.map(parseRange).filter((range) => range !== undefined)
    this.#v4 = compile(ranges, 4)
    this.#v6 = compile(ranges, 6)
  }

  /** What is no address matches nothing. */
  matches(address: string): boolean {
    const parsed = parseIpAddress(address)
    if (parsed === undefined) return false
    const rules = parsed.family === 4 ? this.#v4 : this.#v6
    const size = parsed.bytes.length / 4
    const words = wordsOf(parsed.bytes)
    for (let at = 0; at < rules.length; at += 2 * size) {
      let same = true
      for (let word = 0; same && word < size; word += 1)
        same = (((words[word] as number) ^ (rules[at + word] as number)) & (rules[at + size + word] as number)) === 0
      if (same) return true
    }
    return false
  }
}

function parseRange(text: string): Range | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const bytes = addressBytes(address)
  if (bytes === undefined || more.length > 0) return undefined
  const all = bytes.length * 8
  if (prefix !== undefined && !PREFIX.test(prefix)) return undefined
  const bits = prefix === undefined ? all : Number(prefix)
  if (bits > all) return undefined
  if (all === 32) return { family: 4, bytes, bits }
  if (bits >= MAPPED_BITS && isMapped(bytes)) return { family: 4, bytes: bytes.subarray(12), bits: bits - MAPPED_BITS }
  return { family: 6, bytes, bits }
}

function compile(ranges: readonly Range[], family: 4 | 6): Uint32Array {
  const ours = ranges.filter((range) => range.family === family)
  const size = family === 4 ? 1 : 4
  const rules = new Uint32Array(ours.length * 2 * size)
  for (const [index, { bytes, bits }] of ours.entries()) {
    rules.set(wordsOf(bytes), index * 2 * size)
    for (let word = 0; word < size; word += 1) rules[(index * 2 + 1) * size + word] = mask(bits - word * 32)
  }
  return rules
}

/** A word whose first `bits` are set. */
function mask(bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? 0xffffffff : ~(0xffffffff >>> bits)
}

function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = []
  for (let at = 0; at < bytes.length; at += 4)
    words.push(
      ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number),
    )
  return words
}
