import type { RedisClientType } from '@keyv/redis'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { coreErrors } from '../errors.js'
import type { RateLimit, RateLimits } from './rate-limits.js'

/** Seconds after which it is worth trying again while Redis is away. */
const retryAfter = 2

/** Takes a point back, but never one of a window that has ended: it would be a point too many in the next. */
const refundScript = `
  local points = tonumber(redis.call('GET', KEYS[1]))
  if points and points > 0 then redis.call('DECR', KEYS[1]) end`

/** Counts in Redis, for all instances together. While Redis is away nothing is allowed. */
export function createRedisRateLimits(client: RedisClientType, prefix: string): RateLimits {
  const limiters = new Map<string, RateLimiterRedis>()
  const limiterOf = ({ name, points, windowSeconds }: RateLimit): RateLimiterRedis => {
    const id = `${name}/${points}/${windowSeconds}`
    const known = limiters.get(id)
    if (known) return known
    const limiter = new RateLimiterRedis({
      storeClient: client,
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
      keyPrefix: `${prefix}rate:${name}`,
      points,
      duration: windowSeconds,
    })
    limiters.set(id, limiter)
    return limiter
  }
  return {
    async consume(limit, key) {
      try {
        const { remainingPoints } = await limiterOf(limit).consume(key)
        return { allowed: true, remaining: remainingPoints }
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) return rethrowUnavailable(error)
        return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil(error.msBeforeNext / 1000)) }
      }
    },
    async refund(limit, key) {
      await client.eval(refundScript, { keys: [limiterOf(limit).getKey(key)] }).catch(rethrowUnavailable)
    },
    async reset(limit, key) {
      await limiterOf(limit).delete(key).catch(rethrowUnavailable)
    },
  }
}

function rethrowUnavailable(cause: unknown): never {
  throw coreErrors.UNAVAILABLE({ reason: 'Requests cannot be counted at the moment' }, { cause, retryAfter })
}
