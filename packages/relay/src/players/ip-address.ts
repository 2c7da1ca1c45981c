import { isIPv4 } from 'node:net'

export interface IpAddress {
  family: 4 | 6
  /** 4 or 16 bytes, network order. */
  bytes: Uint8Array
}

const DIGIT_ZERO = 0x30
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/**
 * Reads an address without zone. An IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2) gives the IPv4 address, however it
 * is written.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = addressBytes(text)
  if (bytes === undefined) return undefined
  if (bytes.length === 4) return { family: 4, bytes }
  return isMapped(bytes) ? { family: 4, bytes: bytes.subarray(12) } : { family: 6, bytes }
}

/** As it is written: 4 bytes for dotted IPv4, 16 for anything with colons. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return ipv4Bytes(text)
  if (!text.includes(':')) return undefined
  return text.includes('.') ? dottedIpv6Bytes(text) : ipv6Bytes(text)
}

export function isMapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < MAPPED_PREFIX.length; index += 1) if (bytes[index] !== MAPPED_PREFIX[index]) return false
  return true
}

/** As RFC 5952 wants it: the longest run of zeros as `::`, no leading zeros, lower case. */
export function formatIpAddress({ family, bytes }: IpAddress): string {
  if (family === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, n) => ((bytes[2 * n] as number) << 8) | (bytes[2 * n + 1] as number))
  let run = { from: 0, length: 1 }
  for (let from = 0; from < 8; from += 1) {
    let length = 0
    while (groups[from + length] === 0) length += 1
    if (length > run.length) run = { from, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (run.length < 2) return hex.join(':')
  return `${hex.slice(0, run.from).join(':')}::${hex.slice(run.from + run.length).join(':')}`
}

/** `text` is a valid IPv4 address. Ten thousand players are read at once when the rules for them change. */
function ipv4Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(4)
  let at = 0
  let value = 0
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - DIGIT_ZERO
    if (digit >= 0) value = value * 10 + digit
    else {
      bytes[at] = value
      at += 1
      value = 0
    }
  }
  bytes[at] = value
  return bytes
}

/** Without a dotted tail. A zone, which names an interface of one machine and no address, is no digit. */
function ipv6Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16)
  /** Where `::` stands, and how far it is read. */
  let gap = -1
  let at = 0
  let index = 0
  if (text.startsWith('::')) {
    gap = 0
    index = 2
  }
  while (index < text.length) {
    const start = index
    let value = 0
    for (let digit = hexDigit(text, index); digit !== -1; digit = hexDigit(text, index)) {
      value = value * 16 + digit
      index += 1
    }
    if (index === start || index - start > 4 || at === 16) return undefined
    bytes[at] = value >> 8
    bytes[at + 1] = value & 0xff
    at += 2
    if (index === text.length) break
    if (text[index] !== ':' || index === text.length - 1) return undefined
    index += 1
    if (text[index] !== ':') continue
    if (gap !== -1) return undefined
    gap = at
    index += 1
  }
  if (gap === -1) return at === 16 ? bytes : undefined
  // The gap stands for one group of zeros at least.
  if (at > 14) return undefined
  bytes.copyWithin(16 - (at - gap), gap, at)
  bytes.fill(0, gap, 16 - (at - gap))
  return bytes
}

/** -1: none. */
function hexDigit(text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function dottedIpv6Bytes(text: string): Uint8Array | undefined {
  const tailAt = text.lastIndexOf(':') + 1
  const tail = text.slice(tailAt)
  if (!isIPv4(tail)) return undefined
  const bytes = ipv6Bytes(`${text.slice(0, tailAt)}0:0`)
  bytes?.set(ipv4Bytes(tail), 12)
  return bytes
}
