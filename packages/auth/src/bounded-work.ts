import { authErrors } from './errors.js'

interface BoundedWorkOptions {
  /** How many run at a time. */
  readonly concurrency: number
  /** How many may wait beyond those. */
  readonly maxWaiting: number
  /** How long one waits, in milliseconds. */
  readonly waitTimeoutMs: number
}

/** Runs work when there is room. Throws `AUTH_ERR_HASHING_BUSY` when too much waits already, or one waited too long. */
export type BoundedWork = <T>(work: () => Promise<T>) => Promise<T>

/** Makes a queue, first come, first served. */
export function createBoundedWork({ concurrency, maxWaiting, waitTimeoutMs }: BoundedWorkOptions): BoundedWork {
  const waiting: (() => void)[] = []
  let running = 0

  const busy = (): Error => authErrors.HASHING_BUSY(undefined, { retryAfter: Math.ceil(waitTimeoutMs / 1000) })

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
