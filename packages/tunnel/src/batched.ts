/** Work that is done for many at once: whoever asks while some of it runs goes with the next. */
export interface Batched<Item, Result> {
  /** Rejects with what the run of its batch rejected with; with what `busy` gives when too many wait, or one too long. */
  run(item: Item): Promise<Result>
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>
}

interface BatchedOptions<Item, Result> {
  /** One result for each item, in their order. */
  readonly work: (items: readonly Item[]) => Promise<readonly Result[]>
  /** Items of one run at most. */
  readonly maxBatch: number
  /** Runs at a time. */
  readonly concurrency: number
  /** Items that wait beyond those. */
  readonly maxWaiting: number
  readonly waitTimeoutMs: number
  /** Whether it may be one item's fault that a run of several failed: each is then run alone, once. */
  readonly mayBePoison: (error: unknown) => boolean
  /** The error for whoever is turned away. */
  busy(): Error
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly since: number
  resolve(result: Result): void
  reject(error: unknown): void
}

/** Makes such a queue, first come, first served. */
export function createBatched<Item, Result>(options: BatchedOptions<Item, Result>): Batched<Item, Result> {
  const { work, maxBatch, concurrency, maxWaiting, waitTimeoutMs, mayBePoison, busy } = options
  let waiting: Waiting<Item, Result>[] = []
  const running = new Set<Promise<void>>()

  const settle = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await work(batch.map(({ item }) => item))
      if (results.length !== batch.length) throw new Error('a batch has not as many results as items')
      for (const [at, one] of batch.entries()) one.resolve(results[at] as Result)
    } catch (error) {
      if (batch.length > 1 && mayBePoison(error)) for (const one of batch) await settle([one])
      else for (const { reject } of batch) reject(error)
    }
  }

  /** Those that have waited for too long are turned away when their turn comes: what is before them is bounded itself. */
  const take = (): Waiting<Item, Result>[] => {
    const oldest = performance.now() - waitTimeoutMs
    const late = waiting.filter(({ since }) => since < oldest)
    for (const { reject } of late) reject(busy())
    const [batch, rest] = [waiting.slice(late.length, late.length + maxBatch), waiting.slice(late.length + maxBatch)]
    waiting = rest
    return batch
  }

  const next = (): void => {
    if (running.size >= concurrency || waiting.length === 0) return
    const batch = take()
    if (batch.length === 0) return
    const run = settle(batch).finally(() => {
      running.delete(run)
      next()
    })
    running.add(run)
  }

  return {
    run(item) {
      if (waiting.length >= maxWaiting) return Promise.reject(busy())
      return new Promise((resolve, reject) => {
        waiting.push({ item, since: performance.now(), resolve, reject })
        // Not at once: what comes in the same turn of the event loop goes together.
        setImmediate(next)
      })
    },
    async idle() {
      while (running.size > 0 || waiting.length > 0) {
        if (running.size === 0) await new Promise(setImmediate)
        else await Promise.all(running)
      }
    },
  }
}
