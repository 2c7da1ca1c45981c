import { defineService, type ServiceToken } from '../kernel/service.js'

export interface RateLimit {
  /** Unique name, such as `tunnel.device-start`. */
  readonly name: string
  /** How many within `windowSeconds`. */
  readonly points: number
  readonly windowSeconds: number
}

export type RateLimitDecision =
  | { readonly allowed: true; readonly remaining: number }
  | { readonly allowed: false; readonly retryAfterSeconds: number }

/** Counts per key; in Redis when there is one, so that all instances count together. */
export interface RateLimits {
  /** Takes one point of `key`. Throws `CORE_ERR_UNAVAILABLE` when Redis is configured and away: never unlimited. */
  consume(limit: RateLimit, key: string): Promise<RateLimitDecision>
  /** Gives `key` one point back, for a try that turned out to be right. */
  refund(limit: RateLimit, key: string): Promise<void>
  /** Gives `key` all its points back. */
  reset(limit: RateLimit, key: string): Promise<void>
}

export const RateLimits: ServiceToken<RateLimits> = defineService<RateLimits>('core.rate-limits')

/** The key under which a client's address is counted: IPv4 whole, IPv6 by /64, IPv4-mapped as IPv4. */
export { addressKey } from './address-key.js'
