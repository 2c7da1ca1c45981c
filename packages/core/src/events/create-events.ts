import { randomUUID } from 'node:crypto'
import type { RedisClientType } from '@keyv/redis'
import type { Redis } from '../cache/redis.js'
import { within } from '../cache/within.js'
import type { Logger } from '../kernel/logger.js'
import { decodeEventMessage, encodeEventMessage } from './event-message.js'
import type { Events } from './events.js'
import { createLocalDispatch, type LocalDispatch } from './local-dispatch.js'
import { createOutbox } from './outbox.js'

/** Longest time that `emit` waits for Redis. */
const publishTimeoutMs = 2_000
/** Name under which resync handlers are kept; not one that an event can have. */
const resync = ''

export interface OpenEvents {
  readonly events: Events
  close(): Promise<void>
}

/** Makes the events of one instance, subscribed to those of others when there is Redis. */
export async function createEvents({ client, subscriber, prefix }: Redis, logger: Logger): Promise<OpenEvents> {
  const instance = randomUUID()
  const channel = `${prefix}events`
  const local = createLocalDispatch(logger)
  const outbox = client && createOutbox(client, channel, logger)
  const unsubscribe = subscriber && (await subscribe(subscriber, channel, instance, local))
  return {
    events: {
      async emit({ name }, payload) {
        const text = encodeEventMessage({ from: instance, name, payload })
        const published = outbox && within(publishTimeoutMs, outbox.publish(text))
        await local.dispatch(name, decodeEventMessage(text)?.payload, { remote: false })
        await published
      },
      on: ({ name }, handler) => local.on(name, handler),
      get connected() {
        return subscriber === undefined || subscriber.isReady
      },
      onResync: (handler) => local.on(resync, () => handler()),
    },
    async close() {
      outbox?.close()
      await unsubscribe?.()
    },
  }
}

async function subscribe(
  subscriber: RedisClientType,
  channel: string,
  instance: string,
  local: LocalDispatch,
): Promise<() => Promise<void>> {
  const listener = (text: string): void => {
    const message = decodeEventMessage(text)
    // Its own come back, too: they have been dispatched.
    if (!message || message.from === instance || message.name === resync) return
    void local.dispatch(message.name, message.payload, { remote: true })
  }
  // Redis keeps nothing for a subscriber that is away.
  const onReady = (): void => void local.dispatch(resync, undefined, { remote: true })
  await subscriber.subscribe(channel, listener)
  subscriber.on('ready', onReady)
  return async () => {
    subscriber.off('ready', onReady)
    if (subscriber.isReady) await subscriber.unsubscribe(channel, listener).catch(() => undefined)
  }
}
