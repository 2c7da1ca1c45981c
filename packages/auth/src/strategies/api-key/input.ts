import { isAddressRange } from '@sallyport/core'
import { type TArray, type TString, Type } from '@sinclair/typebox'
import { assertPermissions, refuse } from '../../input.js'
import type { KeyType } from './key-text.js'

const maxPermissions = 200
const maxPermissionLength = 200
const maxAllowedIps = 100
/** An IPv6 address of 45 characters, and `/128`. */
const maxAllowedIpLength = 49
const maxTimeLength = 40
/** Latest end of a key, from now: 10 years. */
const maxLifetimeMs = 10 * 365 * 86_400_000

/** Schemas of what a key's maker says of it. */
export const permissionsSchema: TArray<TString> = Type.Array(Type.String({ maxLength: maxPermissionLength }), {
  maxItems: maxPermissions,
  uniqueItems: true,
})
export const allowedIpsSchema: TArray<TString> = Type.Array(Type.String({ maxLength: maxAllowedIpLength }), {
  maxItems: maxAllowedIps,
  uniqueItems: true,
  description: 'Addresses and CIDR ranges that the key may be used from. An empty list restricts nothing.',
})
export const expirySchema: TString = Type.String({
  format: 'date-time',
  maxLength: maxTimeLength,
  description: 'In the future, and within 10 years.',
})

/** Throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field, for a time that no key may end at. */
export function readExpiry(text: string, now: number = Date.now()): Date {
  const expiresAt = new Date(text)
  const time = expiresAt.getTime()
  // A leap second is a time by RFC 3339, and none for Date.
  if (Number.isNaN(time)) throw refuse('/expiresAt', 'must be a time that there is')
  if (time <= now) throw refuse('/expiresAt', 'must be in the future')
  if (time > now + maxLifetimeMs) throw refuse('/expiresAt', 'must be within 10 years')
  return expiresAt
}

/** Throws `CORE_ERR_VALIDATION_FAILED` (400) naming the first entry that is no address or range. */
export function assertAllowedIps(entries: readonly string[]): void {
  const at = entries.findIndex((entry) => !isAddressRange(entry))
  if (at !== -1) throw refuse(`/allowedIps/${at}`, 'must be an address or a CIDR range such as 192.0.2.0/24')
}

/**
 * Gives the permissions that a key is to have. An admin key has `*`; who lists others for it may think that it has no more.
 * @throws `CORE_ERR_VALIDATION_FAILED` (400) naming the field
 */
export function readPermissions(type: KeyType, given: readonly string[]): readonly string[] {
  assertPermissions(given)
  if (type === 'client') return given
  if (given.some((permission) => permission !== '*')) {
    throw refuse('/permissions', 'must be left out for an admin key, which may do everything')
  }
  return ['*']
}
