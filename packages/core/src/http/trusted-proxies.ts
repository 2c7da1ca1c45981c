import { coreErrors } from '../errors.js'
import { createAddressList, isAddressRange } from '../security/address-list.js'

/** Whether a peer is one of the proxies whose `X-Forwarded-*` and `X-Request-Id` are believed. */
export type TrustedProxies = (address: string) => boolean

/**
 * Reads a list of addresses and CIDR ranges.
 * @throws `CORE_ERR_CONFIG_INVALID` naming the entry that is neither
 */
export function parseTrustedProxies(owner: string, entries: readonly string[]): TrustedProxies {
  if (entries.length === 0) return () => false
  const trimmed = entries.map((entry) => entry.trim())
  const wrong = trimmed.find((entry) => !isAddressRange(entry))
  if (wrong !== undefined) {
    throw coreErrors.CONFIG_INVALID({ plugin: owner, reason: `trustedProxies: ${wrong} is no address or CIDR range` })
  }
  return createAddressList(trimmed).includes
}

/** An IPv4 address that a dual-stack socket gives as IPv6 (RFC 4291 section 2.5.5.2), as IPv4. */
export function unmapped(address: string): string {
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return match?.[1] ?? address
}
