import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Logger } from '@sallyport/core'
import type { ClaimedDelivery, DeliveryStore } from './delivery-store.js'
import type { Endpoint } from './endpoints.js'
import { postDelivery } from './post-delivery.js'

/** Delivers what is due, on each instance; a message is with one of them at a time. */
export interface WebhookWorker {
  /** Something may be due. */
  wake(): void
  /** Claims nothing any more; waits a moment for what is under way, then breaks it off: another try follows. */
  stop(): Promise<void>
}

export interface WebhookWorkerOptions {
  readonly store: DeliveryStore
  readonly endpoints: readonly Endpoint[]
  readonly logger: Logger
  readonly timings?: Partial<WebhookTimings>
}

export interface WebhookTimings {
  /** How often is looked for what others wrote, or what is due again. Default 1,000. */
  readonly pollMs: number
  /** Of one try. Default 10,000. */
  readonly timeoutMs: number
  /** How long a claim holds. Default 30. */
  readonly leaseSeconds: number
  /** Between tries, give or take a fifth. After the last one it is given up. */
  readonly retrySeconds: readonly number[]
  /** How often the bound is looked after. Default 10,000. */
  readonly trimMs: number
  /** Messages that wait for one endpoint at most. Default 10,000. */
  readonly maxWaiting: number
}

const minute = 60
const hour = 60 * minute
const defaults: WebhookTimings = {
  pollMs: 1_000,
  timeoutMs: 10_000,
  leaseSeconds: 30,
  retrySeconds: [5, 30, 2 * minute, 10 * minute, hour, 3 * hour, 6 * hour, 12 * hour],
  trimMs: 10_000,
  maxWaiting: 10_000,
}
const maxAtOnce = 8
const maxPerEndpoint = 2
const jitter = 0.2
const keptDays = 3
/** How long a stop waits for deliveries that are under way. */
const stopGraceMs = 2_000

export function createWebhookWorker({ store, endpoints, logger, timings }: WebhookWorkerOptions): WebhookWorker {
  const { pollMs, timeoutMs, leaseSeconds, retrySeconds, trimMs, maxWaiting } = { ...defaults, ...timings }
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  const stopping = new AbortController()
  const busy = new Map<string, number>(endpoints.map(({ key }) => [key, 0]))
  const underWay = new Set<Promise<void>>()
  /** Endpoints whose overflow was said. */
  const overflowing = new Set<string>()
  let stopped = false
  let looking: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined
  let trimAtMs = 0
  let failing = false
  let first = 0

  /** Ends it when its time is over, or when this worker stops. (`AbortSignal.any` leaves something behind in `stopping` with each try.) */
  const attempt = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const trial = new AbortController()
    const end = (): void => trial.abort()
    const late = setTimeout(end, timeoutMs)
    stopping.signal.addEventListener('abort', end)
    if (stopping.signal.aborted) end()
    try {
      return await work(trial.signal)
    } finally {
      clearTimeout(late)
      stopping.signal.removeEventListener('abort', end)
    }
  }

  const settle = async (endpoint: Endpoint, delivery: ClaimedDelivery): Promise<void> => {
    const outcome = await attempt((signal) => postDelivery(endpoint, delivery, agents, signal))
    const about = {
      endpoint: endpoint.host,
      event: delivery.event,
      deliveryId: delivery.id,
      attempts: delivery.attempts,
    }
    if (outcome.kind === 'done') {
      overflowing.delete(endpoint.key)
      await store.remove(delivery.id)
      return
    }
    if (outcome.kind === 'gone') {
      logger.warn(about, 'a webhook was dropped: the endpoint is gone')
      await store.remove(delivery.id)
      return
    }
    // Broken off by us, not by the receiver: the claim runs out and another instance, or this one after its restart, tries again.
    const delay = retrySeconds[delivery.attempts - 1]
    if (stopping.signal.aborted) await store.postpone(delivery, 0)
    else if (delay === undefined) {
      logger.warn({ ...about, reason: outcome.reason }, 'a webhook was dropped: too many tries failed')
      await store.remove(delivery.id)
    } else await store.postpone(delivery, delay * (1 - jitter + 2 * jitter * Math.random()))
  }

  const begin = (endpoint: Endpoint, delivery: ClaimedDelivery): void => {
    busy.set(endpoint.key, (busy.get(endpoint.key) ?? 0) + 1)
    const work = settle(endpoint, delivery)
      // The claim runs out by itself.
      .catch((error: unknown) =>
        logger.error({ err: error, endpoint: endpoint.host }, 'a webhook could not be settled'),
      )
      .finally(() => {
        underWay.delete(work)
        busy.set(endpoint.key, (busy.get(endpoint.key) ?? 1) - 1)
        wake()
      })
    underWay.add(work)
  }

  const trim = async (): Promise<void> => {
    if (performance.now() < trimAtMs) return
    trimAtMs = performance.now() + trimMs
    await store.removeOlder(keptDays)
    for (const { key, host } of endpoints) {
      const dropped = await store.trim(key, maxWaiting)
      if (dropped === 0 || overflowing.has(key)) continue
      overflowing.add(key)
      logger.warn({ endpoint: host, dropped, maxWaiting }, 'too many webhooks wait: the oldest are dropped')
    }
  }

  const look = async (): Promise<void> => {
    try {
      await trim()
      // In turn, so that a few that hang do not keep all places.
      first = (first + 1) % endpoints.length
      for (const endpoint of [...endpoints.slice(first), ...endpoints.slice(0, first)]) {
        const room = Math.min(maxPerEndpoint - (busy.get(endpoint.key) ?? 0), maxAtOnce - underWay.size)
        if (room <= 0 || stopped) continue
        for (const delivery of await store.claim(endpoint.key, room, leaseSeconds)) begin(endpoint, delivery)
      }
      failing = false
    } catch (error) {
      if (!failing) logger.error({ err: error }, 'webhooks cannot be read')
      failing = true
    }
  }

  const run = (): void => {
    again = false
    clearTimeout(timer)
    looking = look().finally(() => {
      looking = undefined
      if (stopped) return
      if (again && !failing) run()
      else {
        timer = setTimeout(run, pollMs)
        timer.unref()
      }
    })
  }

  const wake = (): void => {
    if (stopped) return
    if (looking) again = true
    else run()
  }

  timer = setTimeout(run, pollMs)
  timer.unref()

  return {
    wake,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await looking
      const late = setTimeout(() => stopping.abort(), stopGraceMs)
      while (underWay.size > 0) await Promise.all(underWay)
      clearTimeout(late)
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}
