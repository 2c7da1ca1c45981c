import { BlockList, isIP } from 'node:net'
import { coreErrors } from '../errors.js'

/** Whether a peer is one of the proxies whose `X-Forwarded-*` and `X-Request-Id` are believed. */
export type TrustedProxies = (address: string) => boolean

/**
 * Reads a list of addresses and CIDR ranges.
 * @throws `CORE_ERR_CONFIG_INVALID` naming the entry that is neither
 */
export function parseTrustedProxies(owner: string, entries: readonly string[]): TrustedProxies {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits, ...rest] = entry.trim().split('/')
    const version = isIP(address)
    const width = version === 4 ? 32 : 128
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
    if (version === 0 || rest.length > 0 || !(prefix <= width)) {
      throw coreErrors.CONFIG_INVALID({ plugin: owner, reason: `trustedProxies: ${entry} is no address or CIDR range` })
    }
    list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }
  if (entries.length === 0) return () => false
  return (address) => {
    const plain = unmapped(address)
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** An IPv4 address that a dual-stack socket gives as IPv6 (RFC 4291 section 2.5.5.2), as IPv4. */
export function unmapped(address: string): string {
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return match?.[1] ?? address
}
