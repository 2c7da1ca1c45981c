import { coreErrors } from '@sallyport/core'

/** Runs work one after the other, first come, first served. Throws `CORE_ERR_UNAVAILABLE` for what cannot wait. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

const maxWaiting = 2_000
const maxWaitMs = 20_000
const retryAfterSeconds = 5

/**
 * For transactions that wait for one another in the database anyway: each that waits there holds a connection, and ten
 * of them would hold all that the panel has.
 * @param what is named to whoever is turned away
 */
export function createInTurn(what: string): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  const busy = (): Error => coreErrors.UNAVAILABLE({ reason: `Too many ${what}` }, { retryAfter: retryAfterSeconds })

  return (work) => {
    if (waiting >= maxWaiting) return Promise.reject(busy())
    const giveUpAt = performance.now() + maxWaitMs
    waiting += 1
    const turn = last.then(() => {
      waiting -= 1
      if (performance.now() > giveUpAt) throw busy()
      return work()
    })
    last = turn.catch(() => undefined)
    return turn
  }
}
