import { isIPv4 } from 'node:net'

const width4 = 32
const width6 = 128
/** `::ffff:0:0/96`: IPv4 as IPv6 (RFC 4291 section 2.5.5.2). */
const mappedBits = 96
const mapped = 0xffffn

/**
 * One spelling for an address or CIDR range that is valid: IPv6 as RFC 5952 writes it, IPv4 in it as IPv4, bits beyond the
 * prefix zero, no prefix for a single address.
 */
export function normaliseRange(text: string): string {
  const [address = '', bits] = text.split('/')
  if (isIPv4(address))
    return format4(toNumber(address.split('.').map(Number), 8), bits === undefined ? width4 : Number(bits))
  // What a URL makes of it: lower case, groups without leading zeros, no dotted tail.
  const value = toNumber(groupsOf(new URL(`http://[${address}]`).hostname.slice(1, -1)), 16)
  const prefix = bits === undefined ? width6 : Number(bits)
  if (prefix >= mappedBits && value >> BigInt(width4) === mapped) {
    return format4(value & ((1n << BigInt(width4)) - 1n), prefix - mappedBits)
  }
  const groups = split(mask(value, width6, prefix), 8, 16).map((group) => group.toString(16))
  return suffix(new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), width6, prefix)
}

function format4(value: bigint, prefix: number): string {
  return suffix(split(mask(value, width4, prefix), 4, 8).join('.'), width4, prefix)
}

function suffix(address: string, width: number, prefix: number): string {
  return prefix === width ? address : `${address}/${prefix}`
}

function groupsOf(address: string): number[] {
  const [head = [], tail = []] = address
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))))
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

function mask(value: bigint, width: number, prefix: number): bigint {
  const host = BigInt(width - prefix)
  return (value >> host) << host
}

function toNumber(parts: readonly number[], bits: number): bigint {
  return parts.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n)
}

function split(value: bigint, count: number, bits: number): number[] {
  const mask = (1n << BigInt(bits)) - 1n
  return Array.from({ length: count }, (_, at) => Number((value >> BigInt((count - 1 - at) * bits)) & mask))
}
