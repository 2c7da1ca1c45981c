import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@sallyport/core'

/** Work on many keys in few statements: of one key only the last value counts, and nothing of it runs twice at a time. */
export interface KeyedBatches<Value> {
  set(key: string, value: Value): void
  /** Ends waiting and retries; resolves when what runs is done. */
  stop(): Promise<void>
}

interface KeyedBatchesOptions<Value> {
  /** For the log: what cannot be done now. */
  readonly what: string
  readonly logger: Logger
  /** What rejects is run again, with what came for its keys meanwhile. */
  run(batch: ReadonlyMap<string, Value>): Promise<void>
}

/** How long the first of a batch waits for others. */
const gatherMs = 5
const maxPerBatch = 256
const concurrency = 2
/** More are not kept: the oldest are dropped, and are healed by the periodic checks. */
const maxWaiting = 50_000
const retryMs = 1_000

export function createKeyedBatches<Value>({ what, logger, run }: KeyedBatchesOptions<Value>): KeyedBatches<Value> {
  const waiting = new Map<string, Value>()
  const busy = new Set<string>()
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  const stopping = new AbortController()

  const schedule = (delayMs: number): void => {
    if (stopping.signal.aborted || timer || waiting.size === 0) return
    timer = setTimeout(() => {
      timer = undefined
      start()
    }, delayMs)
  }

  const take = (): Map<string, Value> => {
    const batch = new Map<string, Value>()
    for (const [key, value] of waiting) {
      if (busy.has(key)) continue
      waiting.delete(key)
      batch.set(key, value)
      if (batch.size === maxPerBatch) break
    }
    return batch
  }

  const start = (): void => {
    while (running.size < concurrency) {
      const batch = take()
      if (batch.size === 0) return
      const work = attempt(batch)
      running.add(work)
      void work.then(() => running.delete(work)).then(() => schedule(0))
    }
  }

  const attempt = async (batch: ReadonlyMap<string, Value>): Promise<void> => {
    for (const key of batch.keys()) busy.add(key)
    try {
      await run(batch)
    } catch (error) {
      if (stopping.signal.aborted) return
      logger.error({ err: error, count: batch.size }, `${what} failed; it is tried again`)
      for (const [key, value] of batch) if (!waiting.has(key)) waiting.set(key, value)
      await delay(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    } finally {
      for (const key of batch.keys()) busy.delete(key)
    }
  }

  return {
    set(key, value) {
      if (stopping.signal.aborted) return
      waiting.set(key, value)
      if (waiting.size > maxWaiting) {
        const [oldest] = waiting.keys()
        if (oldest !== undefined) waiting.delete(oldest)
      }
      if (running.size < concurrency) schedule(gatherMs)
    },
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      waiting.clear()
      await Promise.all(running)
    },
  }
}
