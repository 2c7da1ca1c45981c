import { Redis } from '../cache/redis.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { RateLimits } from './rate-limits.js'
import { createMemoryRateLimits } from './rate-limits-memory.js'
import { createRedisRateLimits } from './rate-limits-redis.js'

/** Provides `RateLimits`, counted in Redis when there is one. */
export const rateLimits: PluginFactory = definePlugin({
  name: '@sallyport/core.rate-limits',
  version,
  requires: { redis: Redis },
  provides: { rateLimits: RateLimits },
  setup({ services }) {
    const { client, prefix } = services.redis
    return { rateLimits: client ? createRedisRateLimits(client, prefix) : createMemoryRateLimits() }
  },
})
