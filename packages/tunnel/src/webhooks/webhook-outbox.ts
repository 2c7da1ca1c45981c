import { randomUUID } from 'node:crypto'
import type { Logger } from '@sallyport/core'
import type { DeliveryStore, NewDelivery } from './delivery-store.js'
import type { Endpoint } from './endpoints.js'
import { type WebhookEvent, wants } from './webhook-events.js'

/** Brings events to the database, from where they are delivered. */
export interface WebhookOutbox {
  /** Whether an endpoint wants it. */
  isWanted(event: WebhookEvent): boolean
  /** Resolves when the database has it, or could not take it at the first try. Never rejects. */
  put(event: WebhookEvent, data: readonly Readonly<Record<string, unknown>>[]): Promise<void>
  /** Tries once more to store what is left. */
  stop(): Promise<void>
}

interface WebhookOutboxOptions {
  readonly store: DeliveryStore
  readonly endpoints: readonly Endpoint[]
  readonly logger: Logger
  /** Something was stored. */
  readonly wake: () => void
}

/** Messages kept while the database is away. */
const maxKept = 10_000
const batchSize = 500
const retryMs = 1_000

export function createWebhookOutbox({ store, endpoints, logger, wake }: WebhookOutboxOptions): WebhookOutbox {
  let kept: NewDelivery[] = []
  let dropped = 0
  let failing = false
  let writing: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined

  const write = async (): Promise<void> => {
    clearTimeout(retry)
    while (kept.length > 0) {
      const batch = kept.slice(0, batchSize)
      try {
        await store.insert(batch)
      } catch (error) {
        if (!failing) logger.error({ err: error }, 'webhooks cannot be stored')
        failing = true
        retry = setTimeout(flush, retryMs)
        retry.unref()
        return
      }
      failing = false
      const stored = new Set(batch)
      kept = kept.filter((one) => !stored.has(one))
      wake()
    }
    if (dropped > 0) logger.error({ dropped }, 'webhooks were dropped while they could not be stored')
    dropped = 0
  }

  const flush = (): Promise<void> => {
    // Whoever comes while one batch is written is written by the same loop.
    writing ??= write().finally(() => {
      writing = undefined
      // Came between the loop's last look and here.
      if (kept.length > 0 && !failing) void flush()
    })
    return writing
  }

  return {
    isWanted: (event) => endpoints.some(({ events }) => wants(events, event)),
    async put(event, data) {
      const timestamp = new Date().toISOString()
      for (const one of data) {
        const body = JSON.stringify({ type: event, timestamp, data: one })
        for (const { key, events } of endpoints) {
          if (!wants(events, event)) continue
          if (kept.length < maxKept) kept.push({ id: randomUUID(), endpoint: key, event, body })
          else dropped += 1
        }
      }
      if (kept.length > 0) await flush()
    },
    async stop() {
      await writing
      if (kept.length > 0) await flush()
      clearTimeout(retry)
    },
  }
}
