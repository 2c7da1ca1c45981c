import { coreErrors } from '@sallyport/core'

/**
 * Between the moments at which refusals leave, in milliseconds: longer than what tells an account that exists from one
 * that does not (a row found or not, a model made or not), shorter than what a person notices.
 */
const gridMs = 100
/** Refusals that wait at one time; there are that many only when somebody is guessing from everywhere at once. */
const maxWaiting = 5_000

/** Has refusals leave at times that say nothing of how they came about. */
export interface RefusalGrid {
  /**
   * Resolves at the next multiple of 100 ms since `since`, of `performance.now()`.
   * @throws `CORE_ERR_UNAVAILABLE` (503) when too many wait
   */
  wait(since: number): Promise<void>
}

/**
 * A refusal that leaves as soon as it is found tells by its time how much work there was, and repeated often enough the
 * smallest difference shows through all noise. On the grid what is told is only in which tenth of a second it was found.
 * Doing the same work in every case is needed as before: the grid hides the little that is left of a difference.
 */
export function createRefusalGrid(): RefusalGrid {
  let waiting = 0
  return {
    async wait(since) {
      if (waiting >= maxWaiting) {
        throw coreErrors.UNAVAILABLE({ reason: 'Too many sign-ins are being refused' }, { retryAfter: 1 })
      }
      waiting += 1
      try {
        const until = since + Math.ceil((performance.now() - since) / gridMs) * gridMs
        // A timer's clock has whole milliseconds: it may ring a little too early.
        for (let left = until - performance.now(); left > 0; left = until - performance.now()) {
          await sleep(Math.ceil(left))
        }
      } finally {
        waiting -= 1
      }
    },
  }
}

/** Keeps no process alive. */
function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
}
