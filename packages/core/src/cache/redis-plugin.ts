import { Type } from '@sinclair/typebox'
import { coreErrors } from '../errors.js'
import { Health } from '../http/health.js'
import { secret } from '../kernel/config.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import type { Secret } from '../kernel/secret.js'
import { version } from '../version.js'
import { Redis } from './redis.js'
import { connectRedis } from './redis-connection.js'
import { parseRedisUrl, type RedisAddress } from './redis-url.js'

export interface RedisConfig {
  /** `redis://user:password@host:port/database`, `rediss:` for TLS. Without it there is one instance. */
  readonly url?: Secret
}

const name = '@sallyport/core.redis'
const schema = Type.Object({ url: Type.Optional(secret({ pattern: '^rediss?://' })) }, { additionalProperties: false })

/** Provides `Redis`: two connections, or none without `url`. Throws `CORE_ERR_REDIS_UNREACHABLE`. */
export const redis: PluginFactory<RedisConfig> = definePlugin({
  name,
  version,
  optional: { health: Health },
  provides: { redis: Redis },
  config: schema,
  async setup({ services, config, scope, logger }) {
    if (!config.url) return { redis: { client: undefined, subscriber: undefined, prefix: 'sallyport:' } }
    const address = readUrl(config.url)
    const commands = await connectRedis(address, logger)
    scope.defer(commands.close)
    const subscriptions = await connectRedis(address, logger)
    scope.defer(subscriptions.close)
    const { client } = commands
    if (services.health) scope.defer(services.health.register('redis', async () => void (await client.ping())))
    return { redis: { client, subscriber: subscriptions.client, prefix: `sallyport:${address.database}:` } }
  },
})

function readUrl(url: Secret): RedisAddress {
  try {
    return parseRedisUrl(url.reveal())
  } catch (error) {
    throw coreErrors.CONFIG_INVALID({ plugin: name, reason: error instanceof Error ? error.message : 'url' })
  }
}
