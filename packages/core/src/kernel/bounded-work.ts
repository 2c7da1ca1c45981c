export interface BoundedWorkOptions {
  /** How many run at a time. */
  readonly concurrency: number
  /** How many may wait beyond those. */
  readonly maxWaiting: number
  /** How long one waits, in milliseconds. */
  readonly waitTimeoutMs: number
  /** The error for whoever is turned away: by custom a 503 with `retryAfter`. */
  busy(): Error
}

/** Runs work when there is room. Throws what `busy` gives when too much waits already, or one waited too long. */
export type BoundedWork = <T>(work: () => Promise<T>) => Promise<T>

/** Makes a queue, first come, first served. */
export function createBoundedWork({ concurrency, maxWaiting, waitTimeoutMs, busy }: BoundedWorkOptions): BoundedWork {
  const waiting: (() => void)[] = []
  let running = 0

  const enter = (): Promise<void> => {
    if (running < concurrency) {
      running += 1
      return Promise.resolve()
    }
    if (waiting.length >= maxWaiting) return Promise.reject(busy())
    return new Promise((resolve, reject) => {
      const take = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1)
        reject(busy())
      }, waitTimeoutMs)
      waiting.push(take)
    })
  }

  // The place is handed on, so that nobody who comes in between takes it.
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }

  return async (work) => {
    await enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
