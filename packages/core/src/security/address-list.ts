import { isIP } from 'node:net'
import { coreErrors } from '../errors.js'
import { addressGroups } from './address-key.js'

/** A list of addresses and CIDR ranges (RFC 4632; for IPv6 RFC 4291 section 2.3). */
export interface AddressList {
  /** Whether one of the entries holds the address. `false` for text that is no address. */
  includes(address: string): boolean
  /** Whether one of the entries alone holds every address of another entry. `false` for text that is no entry. */
  covers(entry: string): boolean
}

/** Addresses that have the first `prefix` of `width` bits in common. */
interface AddressRange {
  readonly width: number
  readonly prefix: number
  /** Those bits, as a number. */
  readonly network: bigint
}

/** Longest entry: an IPv6 address of 45 characters, and `/128`. */
const maxEntryLength = 49
const prefixPattern = /^(0|[1-9]\d{0,2})$/
const width4 = 32
const width6 = 128
/** `::ffff:0:0/96`: IPv4 as IPv6 (RFC 4291 section 2.5.5.2). */
const mappedPrefix = 96
const mappedNetwork = 0xffffn

/** Whether `text` is an address or a CIDR range such as `192.0.2.0/24` or `2001:db8::/32`; one with a zone is not. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== undefined
}

/**
 * Makes a list. IPv4 written as IPv6 is that IPv4, in entries and in what is asked about, and otherwise IPv6 ranges hold
 * no IPv4.
 * @throws `CORE_ERR_ARGUMENT_INVALID` naming the entry that is none
 */
export function createAddressList(entries: readonly string[]): AddressList {
  const ranges = entries.map((entry) => {
    const range = parseRange(entry)
    if (!range) throw coreErrors.ARGUMENT_INVALID({ argument: entry, reason: 'it is no address or CIDR range' })
    return range
  })
  const holds = (wanted: AddressRange | undefined): boolean =>
    wanted !== undefined && ranges.some((range) => contains(range, wanted))
  return {
    includes: (address) => holds(address.includes('/') ? undefined : parseRange(withoutZone(address))),
    covers: (entry) => holds(parseRange(entry)),
  }
}

function contains(range: AddressRange, { width, prefix, network }: AddressRange): boolean {
  return range.width === width && range.prefix <= prefix && network >> BigInt(prefix - range.prefix) === range.network
}

function parseRange(text: string): AddressRange | undefined {
  if (text.length > maxEntryLength || text.includes('%')) return undefined
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  const width = version === 4 ? width4 : width6
  const prefix = bits === undefined ? width : prefixPattern.test(bits) ? Number(bits) : Number.NaN
  if (version === 0 || rest.length > 0 || !(prefix <= width)) return undefined
  const value = version === 4 ? joinParts(address.split('.').map(Number), 8) : joinParts(addressGroups(address), 16)
  return unmap({ width, prefix, network: value >> BigInt(width - prefix) })
}

/** A zone (RFC 4007 section 11) says by which interface an address is reached, not which it is. */
function withoutZone(address: string): string {
  const at = address.indexOf('%')
  return at === -1 ? address : address.slice(0, at)
}

function unmap(range: AddressRange): AddressRange {
  const { width, prefix, network } = range
  const ownBits = prefix - mappedPrefix
  if (width !== width6 || ownBits < 0 || network >> BigInt(ownBits) !== mappedNetwork) return range
  return { width: width4, prefix: ownBits, network: network & ((1n << BigInt(ownBits)) - 1n) }
}

function joinParts(parts: readonly number[], bitsOfEach: number): bigint {
  return parts.reduce((value, part) => (value << BigInt(bitsOfEach)) | BigInt(part), 0n)
}
