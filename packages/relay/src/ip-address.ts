import { isIPv4, isIPv6 } from 'node:net'

export interface IpAddress {
  family: 4 | 6
  /** 4 or 16 bytes, network order. */
  bytes: Uint8Array
}

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
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  // isIPv6 takes a zone, which names an interface of one machine and no address.
  return isIPv6(text) && !text.includes('%') ? ipv6Bytes(text) : undefined
}

export function isMapped(bytes: Uint8Array): boolean {
  return MAPPED_PREFIX.every((byte, index) => bytes[index] === byte)
}

/** `text` is a valid IPv6 address. */
function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = text.split('::')
  const front = groupBytes(head)
  const back = groupBytes(tail ?? '')
  const bytes = new Uint8Array(16)
  bytes.set(front)
  bytes.set(back, 16 - back.length)
  return bytes
}

function groupBytes(groups: string): number[] {
  if (groups === '') return []
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
