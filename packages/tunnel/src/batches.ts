/** Asks for many things in few statements. */
export interface Batches<Item, Result> {
  /** Rejects with what the batch rejects with. */
  ask(item: Item): Promise<Result>
  /** How many have no answer yet. */
  readonly size: number
}

/** How long the first of a batch waits for others. */
const gatherMs = 5
const maxPerBatch = 256
const concurrency = 2

interface Question<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** @param run gives as many results as there are items, in their order */
export function createBatches<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): Batches<Item, Result> {
  const waiting: Question<Item, Result>[] = []
  let running = 0
  let unanswered = 0
  let timer: NodeJS.Timeout | undefined

  const schedule = (delayMs: number): void => {
    if (waiting.length === 0 || running >= concurrency) return
    timer ??= setTimeout(() => {
      timer = undefined
      while (waiting.length > 0 && running < concurrency) void answer(waiting.splice(0, maxPerBatch))
    }, delayMs)
  }

  const answer = async (batch: readonly Question<Item, Result>[]): Promise<void> => {
    running += 1
    try {
      const results = await run(batch.map(({ item }) => item))
      for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Result)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      running -= 1
      unanswered -= batch.length
      schedule(0)
    }
  }

  return {
    ask(item) {
      unanswered += 1
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        schedule(waiting.length >= maxPerBatch ? 0 : gatherMs)
      })
    },
    get size() {
      return unanswered
    },
  }
}
