import { isIPv4, isIPv6 } from 'node:net'

const maxAddressLength = 100
/** Groups of 16 bits in an IPv6 address, and in the half that names a network. */
const groupCount = 8
const networkGroupCount = 4
/** What an IPv4-mapped address begins with: `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const mappedPrefix = [0, 0, 0, 0, 0, 0xffff]

/**
 * Gives the key under which a client's address is counted: IPv4 whole, IPv4-mapped IPv6 as that IPv4, other IPv6 by its
 * /64 network, which one customer has to itself (RFC 6177), in one spelling. Anything else is `invalid`.
 */
export function addressKey(address: string): string {
  if (address.length > maxAddressLength) return 'invalid'
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return 'invalid'
  const groups = addressGroups(address)
  if (mappedPrefix.every((group, index) => groups[index] === group)) {
    return groups.slice(6).flatMap(bytesOf).join('.')
  }
  const network = groups.slice(0, networkGroupCount).map((group) => group.toString(16))
  return `${network.join(':')}::/64`
}

/** Gives the eight groups of 16 bits of an IPv6 address that is known to be valid. */
export function addressGroups(address: string): number[] {
  const withoutZone = address.replace(/%.*$/, '')
  const [head = '', tail] = withoutZone.split('::')
  const before = groupsOf(head)
  if (tail === undefined) return before
  const after = groupsOf(tail)
  const zeros = Array.from<number>({ length: groupCount - before.length - after.length }).fill(0)
  return [...before, ...zeros, ...after]
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return Number.parseInt(part, 16)
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function bytesOf(group: number): [number, number] {
  return [group >> 8, group & 0xff]
}
