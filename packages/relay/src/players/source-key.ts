import { isIPv6 } from 'node:net'

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** An address without its IPv4-in-IPv6 wrapping (RFC 4291 section 2.5.5.2) and zone. */
export function plainAddress(address: string): string {
  const [plain = ''] = address.split('%')
  return MAPPED_IPV4.exec(plain)?.[1] ?? plain
}

/** What limits by source count on: the IPv4 address, or the /64 of an IPv6 one, which is what a single customer has. */
export function sourceKey(address: string): string {
  const plain = plainAddress(address)
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':')
  // A dotted tail stands for two groups.
  const tailLength = tailGroups.length + (tailGroups.at(-1)?.includes('.') === true ? 1 : 0)
  if (tail !== undefined) while (groups.length + tailLength < 8) groups.push('0')
  const all = [...groups, ...tailGroups]
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
