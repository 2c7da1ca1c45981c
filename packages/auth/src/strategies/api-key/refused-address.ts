import { type Audit, addressKey, type RateLimit, type RateLimits } from '@sallyport/core'
import type { KeyRecord } from './key-record.js'

/** Of each key and address so many refusals are recorded. */
const limit: RateLimit = { name: 'auth.api-key-address-refusals', points: 1, windowSeconds: 60 }

/** Records that a key was used from where it may not be: its secret may have leaked. */
export function recordRefusedAddress(
  audit: Audit,
  rateLimits: RateLimits,
): (key: KeyRecord, ip: string) => Promise<void> {
  return async ({ id, userId, name, prefix }, ip) => {
    // Without the counter nothing is recorded: the refusal itself must not wait for Redis, nor the log be flooded.
    const decision = await rateLimits.consume(limit, `${id} ${addressKey(ip)}`).catch(() => undefined)
    if (!decision?.allowed) return
    const data = { reason: 'address_not_allowed', userId, name, prefix }
    await audit.record({ action: 'apikey.refused', target: { type: 'api-key', id }, ip, data })
  }
}
