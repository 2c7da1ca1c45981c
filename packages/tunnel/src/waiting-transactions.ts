import { type BoundedWork, coreErrors, createBoundedWork } from '@sallyport/core'

const concurrency = 3
const maxWaiting = 2_000
const waitTimeoutMs = 30_000
const retryAfterSeconds = 5

/**
 * A line for transactions that wait for one another in the database: each that waits there holds a connection, and with
 * all of them held nobody could so much as sign in. Throws `CORE_ERR_UNAVAILABLE` (503) for what cannot wait.
 * @param reason is told to whoever is turned away
 */
export function createTransactionLine(reason: string): BoundedWork {
  const busy = (): Error => coreErrors.UNAVAILABLE({ reason }, { retryAfter: retryAfterSeconds })
  return createBoundedWork({ concurrency, maxWaiting, waitTimeoutMs, busy })
}
