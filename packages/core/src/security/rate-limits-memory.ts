import { LRUCache } from 'lru-cache'
import type { RateLimit, RateLimits } from './rate-limits.js'

interface Window {
  points: number
  readonly endsAt: number
}

/**
 * Keys counted at once for one limit, some 15 MB. When there are more, the least recently counted is forgotten: whoever
 * wants to be forgotten must bring as many others.
 */
const maxKeys = 100_000

/**
 * Counts in this process, in windows that begin with a key's first point. `rate-limiter-flexible` has this too, but
 * keeps a timer for every key and any number of keys.
 * @param now milliseconds of a clock that does not go back
 */
export function createMemoryRateLimits(now: () => number = () => performance.now()): RateLimits {
  const limits = new Map<string, LRUCache<string, Window>>()
  const windowsOf = ({ name }: RateLimit): LRUCache<string, Window> => {
    const known = limits.get(name)
    if (known) return known
    const windows = new LRUCache<string, Window>({ max: maxKeys })
    limits.set(name, windows)
    return windows
  }
  return {
    async consume(limit, key) {
      const windows = windowsOf(limit)
      const time = now()
      let window = windows.get(key)
      if (!window || window.endsAt <= time) {
        window = { points: 0, endsAt: time + limit.windowSeconds * 1000 }
        windows.set(key, window)
      }
      window.points += 1
      if (window.points <= limit.points) return { allowed: true, remaining: limit.points - window.points }
      return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil((window.endsAt - time) / 1000)) }
    },
    async refund(limit, key) {
      const window = windowsOf(limit).get(key)
      if (window && window.points > 0 && window.endsAt > now()) window.points -= 1
    },
    async reset(limit, key) {
      windowsOf(limit).delete(key)
    },
  }
}
