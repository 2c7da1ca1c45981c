import { createClient, type RedisClientType } from '@keyv/redis'
import { coreErrors } from '../errors.js'
import type { Logger } from '../kernel/logger.js'
import { whyUnreachable } from '../unreachable.js'
import type { RedisAddress } from './redis-url.js'
import { within } from './within.js'

const connectTimeoutMs = 5_000
/** Between two tries to reconnect: doubled from the first to the longest, with a fifth of chance. */
const firstRetryMs = 100
const longestRetryMs = 2_000
/** How often a connection is tried, and how long an answer may take before the connection counts as dead. */
const pingIntervalMs = 2_000
const answerTimeoutMs = 3_000
/** The same for one that is being made: nothing else is sent on it. */
const silenceMs = 5_000
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
    disableClientInfo: true,
  }) as unknown as RedisClientType
  client.setMaxListeners(maxListeners)

  let away = false
  const sayAway = (error: unknown): void => {
    if (away || !started || closing) return
    away = true
    logger.warn({ redis: address.place, reason: describe(error, address) }, 'redis is away')
  }
  client.on('error', sayAway)
  client.on('ready', () => {
    if (closing) client.destroy()
    else if (away) logger.info({ redis: address.place }, 'redis is back')
    away = false
  })

  try {
    await client.connect()
    // Without a password nothing has been said yet that a server could refuse.
    await client.ping()
  } catch (error) {
    if (client.isOpen) client.destroy()
    throw coreErrors.REDIS_UNREACHABLE({ reason: describe(error, address) })
  }
  started = true
  const stopWatching = watch(client, sayAway)
  return {
    client,
    async close() {
      closing = true
      stopWatching()
      // While it reconnects there is nothing to close yet: the next try ends it.
      if (client.isReady) await closeWithin(client)
    },
  }
}

/**
 * Gives a connection up on which no answer comes. The socket's own timeout does not: whatever is written to it counts
 * as life.
 */
function watch(client: RedisClientType, sayAway: (error: Error) => void): () => void {
  let asking = false
  const ask = async (): Promise<void> => {
    if (asking || !client.isReady) return
    asking = true
    const answered = await within(answerTimeoutMs, client.ping()).catch(() => true)
    asking = false
    if (answered || !client.isReady) return
    sayAway(new Error('timeout'))
    client.destroy()
    // Rejects only when it is being closed.
    client.connect().catch(() => undefined)
  }
  const timer = setInterval(() => void ask(), pingIntervalMs).unref()
  return () => clearInterval(timer)
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
  return whyUnreachable(error, { place, password }, ({ message }) =>
    /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH)/.test(message)
      ? `${place} does not let this user in with this password`
      : undefined,
  )
}
