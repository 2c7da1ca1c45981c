import { coreErrors } from '@sallyport/core'

/** Runs work a few at a time, first come, first served. Throws `CORE_ERR_UNAVAILABLE` (503) for what cannot wait. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

const concurrency = 3
const maxWaiting = 2_000
const maxWaitMs = 30_000
const retryAfterSeconds = 5

/**
 * For transactions that wait for one another in the database: each that waits there holds a connection, and with all
 * of them held nobody could so much as sign in.
 * @param what is told to whoever is turned away
 */
export function createInTurn(what: string): InTurn {
  const waiting: (() => void)[] = []
  let running = 0

  const busy = (): Error => coreErrors.UNAVAILABLE({ reason: what }, { retryAfter: retryAfterSeconds })

  const enter = async (): Promise<void> => {
    if (running < concurrency) {
      running += 1
      return
    }
    if (waiting.length >= maxWaiting) throw busy()
    const giveUpAt = performance.now() + maxWaitMs
    await new Promise<void>((resolve) => waiting.push(resolve))
    if (performance.now() <= giveUpAt) return
    leave()
    throw busy()
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
