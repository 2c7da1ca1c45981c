import { Redis } from '../cache/redis.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { createEvents } from './create-events.js'
import { Events } from './events.js'

/** Provides `Events`, between instances when there is Redis. */
export const events: PluginFactory = definePlugin({
  name: '@sallyport/core.events',
  version,
  requires: { redis: Redis },
  provides: { events: Events },
  async setup({ services, scope, logger }) {
    const opened = await createEvents(services.redis, logger)
    scope.defer(opened.close)
    return { events: opened.events }
  },
})
