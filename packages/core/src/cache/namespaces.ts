import KeyvRedis from '@keyv/redis'
import { Keyv, type KeyvOptions } from 'keyv'
import { coreErrors } from '../errors.js'
import type { Logger } from '../kernel/logger.js'
import type { Cache } from './cache.js'
import { createMemoryStore } from './memory-store.js'
import type { Redis } from './redis.js'

const defaultTtlMs = 60_000
const defaultMaxEntries = 10_000
/** Without the separators of keys, so that no two names share a key. */
const namePattern = /^[a-z0-9][a-z0-9.-]{0,99}$/

const redisOptions = { throwOnConnectError: false, throwOnErrors: false }

/** Makes the cache: in Redis, or in memory without. What fails is a miss; the first failure in a row is logged. */
export function createCache({ client, prefix }: Redis, logger: Logger): Cache {
  // Values are of any type; each namespace's user says of which.
  const namespaces = new Map<string, Keyv<never>>()
  let failing = false
  client?.on('ready', () => {
    failing = false
  })
  const onError = (error: unknown): void => {
    if (failing) return
    failing = true
    logger.warn({ reason: error instanceof Error ? error.message : String(error) }, 'the cache does not work')
  }
  return {
    namespace<T>(name: string, { ttlMs = defaultTtlMs, maxEntries = defaultMaxEntries } = {}): Keyv<T> {
      const known = namespaces.get(name)
      if (known) return known as unknown as Keyv<T>
      if (!namePattern.test(name)) {
        throw coreErrors.ARGUMENT_INVALID({ argument: `Cache name ${name}`, reason: 'it is not like auth.sessions' })
      }
      const keyv = new Keyv<T>({
        store: client ? new KeyvRedis(client, redisOptions) : createMemoryStore(maxEntries),
        namespace: `${prefix}cache:${name}`,
        useKeyPrefix: false,
        ttl: ttlMs,
        serialize: JSON.stringify,
        deserialize: deserializeOrForget,
      } as KeyvOptions)
      keyv.on('error', onError)
      namespaces.set(name, keyv as unknown as Keyv<never>)
      return keyv
    },
  }
}

/** What another program wrote, or a damaged value, is a miss. */
function deserializeOrForget(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'value' in value ? value : undefined
  } catch {
    return undefined
  }
}
