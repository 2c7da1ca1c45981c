import type { Logger } from '../kernel/logger.js'
import type { Disposer } from '../kernel/scope.js'
import type { AuditStorage } from './storage.js'

const sweepIntervalMs = 60 * 60_000
/** Rows removed by one statement, and statements of one sweep. */
const batchSize = 1_000
const maxBatches = 100

/** Removes old entries from time to time, a batch at a time, so that nobody waits for it. */
export function startRetention(storage: AuditStorage, days: number, logger: Logger): Disposer {
  let stopped = false
  let sweeping: Promise<void> | undefined
  const start = (): void => {
    sweeping ??= sweep(storage, days, () => stopped)
      .catch((error: unknown) => logger.warn({ err: error }, 'old audit entries could not be removed'))
      .finally(() => {
        sweeping = undefined
      })
  }
  const timer = setInterval(start, sweepIntervalMs).unref()
  start()
  return async () => {
    stopped = true
    clearInterval(timer)
    await sweeping
  }
}

/** One sweep; gives how many entries it removed. */
export async function sweep(storage: AuditStorage, days: number, stopped: () => boolean): Promise<void> {
  for (let batch = 0; batch < maxBatches && !stopped(); batch += 1) {
    if ((await storage.removeOld(days, batchSize)) < batchSize) return
  }
}
