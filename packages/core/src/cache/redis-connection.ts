import { createClient, type RedisClientType } from '@keyv/redis'
import { coreErrors } from '../errors.js'
import type { Logger } from '../kernel/logger.js'
import type { RedisAddress } from './redis-url.js'

const connectTimeoutMs = 5_000
/** Between two tries to reconnect: doubled from the first to the longest, with a fifth of chance. */
const firstRetryMs = 100
const longestRetryMs = 2_000
/** How often an idle connection is tried, and how long it may stay silent before it counts as dead. */
const pingIntervalMs = 3_000
const silenceMs = 8_000
const maxQueuedCommands = 10_000
const closeTimeoutMs = 1_000
/** Every cache namespace listens to its client. */
const maxListeners = 500

export interface RedisConnection {
  readonly client: RedisClientType
  close(): Promise<void>
}

/**
 * Connects to Redis, and from then on for ever again when the connection is lost. While it is lost commands fail at
 * once instead of waiting.
 * @throws `CORE_ERR_REDIS_UNREACHABLE`, with a reason that holds no password
 */
export async function connectRedis(address: RedisAddress, logger: Logger): Promise<RedisConnection> {
  let started = false
  let closing = false
  const reconnectStrategy = (retries: number, cause: Error): number | Error => {
    if (!started || closing) return cause
    const wait = Math.min(firstRetryMs * 2 ** Math.min(retries, 10), longestRetryMs)
    return Math.round(wait * (0.9 + Math.random() * 0.2))
  }
  const client = createClient({
    ...address.options,
    socket: {
      ...address.options.socket,
      connectTimeout: connectTimeoutMs,
      socketTimeout: silenceMs,
      reconnectStrategy,
    },
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxQueuedCommands,
    pingInterval: pingIntervalMs,
    disableClientInfo: true,
  }) as unknown as RedisClientType
  client.setMaxListeners(maxListeners)

  let away = false
  client.on('error', (error: unknown) => {
    if (away || !started || closing) return
    away = true
    logger.warn({ redis: address.place, reason: describe(error, address) }, 'redis is away')
  })
  client.on('ready', () => {
    if (closing) client.destroy()
    else if (away) logger.info({ redis: address.place }, 'redis is back')
    away = false
  })

  try {
    await client.connect()
  } catch (error) {
    throw coreErrors.REDIS_UNREACHABLE({ reason: describe(error, address) })
  }
  started = true
  return {
    client,
    async close() {
      closing = true
      // While it reconnects there is nothing to close yet: the next try ends it.
      if (client.isReady) await closeWithin(client)
    },
  }
}

/** Lets commands under way end. */
async function closeWithin(client: RedisClientType): Promise<void> {
  const timer = setTimeout(() => client.isOpen && client.destroy(), closeTimeoutMs)
  try {
    await client.close()
  } catch {
    if (client.isOpen) client.destroy()
  } finally {
    clearTimeout(timer)
  }
}

function describe(error: unknown, { place, password }: RedisAddress): string {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const { code, message } = first instanceof Error ? (first as NodeJS.ErrnoException) : { code: '', message: '' }
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${place}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${place} is not known`
  }
  if (/timeout/i.test(message)) return `${place} does not answer`
  if (/^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH)/.test(message))
    return `${place} does not let this user in with this password`
  const told = password === '' ? message : message.replaceAll(password, '[secret]')
  return `${place}: ${told || String(code)}`
}
