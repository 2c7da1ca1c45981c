import type { RedisClientType } from '@keyv/redis'
import type { Logger } from '../kernel/logger.js'

/** Events that wait for Redis to come back; of more, the oldest are dropped. */
const maxWaiting = 1_000

interface Waiting {
  readonly text: string
  readonly taken: () => void
}

/** Publishes messages in the order given, and keeps them while Redis is away. */
export interface Outbox {
  /** Resolves when Redis has taken the message, or when it is dropped. */
  publish(text: string): Promise<void>
  close(): void
}

/** Makes an outbox for one channel. */
export function createOutbox(client: RedisClientType, channel: string, logger: Logger): Outbox {
  const waiting: Waiting[] = []
  let flushing = false
  let closed = false

  const flush = async (): Promise<void> => {
    if (flushing) return
    flushing = true
    try {
      for (let next = waiting[0]; next && client.isReady && !closed; next = waiting[0]) {
        await client.publish(channel, next.text)
        // It may have been dropped meanwhile.
        if (waiting[0] === next) waiting.shift()
        next.taken()
      }
    } catch {
      // Kept; `ready` flushes again.
    } finally {
      flushing = false
    }
  }
  const onReady = (): void => void flush()
  client.on('ready', onReady)

  return {
    publish(text) {
      return new Promise((taken) => {
        if (waiting.length >= maxWaiting) {
          waiting.shift()?.taken()
          logger.error({ maxWaiting }, 'redis is away for too long: an event for other instances is lost')
        }
        waiting.push({ text, taken })
        void flush()
      })
    },
    close() {
      closed = true
      client.off('ready', onReady)
      for (const { taken } of waiting.splice(0)) taken()
    },
  }
}
