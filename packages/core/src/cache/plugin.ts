import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { Cache } from './cache.js'
import { createCache } from './namespaces.js'
import { Redis } from './redis.js'

/** Provides `Cache`, in Redis when there is one. */
export const cache: PluginFactory = definePlugin({
  name: '@sallyport/core.cache',
  version,
  requires: { redis: Redis },
  provides: { cache: Cache },
  setup({ services, logger }) {
    return { cache: createCache(services.redis, logger) }
  },
})
