/** Waits between the tries of a client that must come back by itself. All in milliseconds. */
export interface RetryTimings {
  /** The first tries come quickly, spread at random between these two so that agents do not return in step. */
  quickTries: number
  quickMinMs: number
  quickMaxMs: number
  /** Then the wait doubles from this to `maxMs`. */
  slowStartMs: number
  maxMs: number
}

export const DEFAULT_RETRY: RetryTimings = Object.freeze({
  quickTries: 3,
  quickMinMs: 200,
  quickMaxMs: 1_000,
  slowStartMs: 2_000,
  maxMs: 30_000,
})

/** A connection that lived this long has ended the trouble: the tries count from the beginning again. */
export const STABLE_MS = 5_000

/** The wait before try number `attempt` (from 0). Slow waits vary by a fifth either way, `maxMs` is never passed. */
export function retryDelay(
  attempt: number,
  timings: RetryTimings = DEFAULT_RETRY,
  random: () => number = Math.random,
): number {
  const { quickTries, quickMinMs, quickMaxMs, slowStartMs, maxMs } = timings
  if (attempt < quickTries) return Math.min(Math.round(quickMinMs + random() * (quickMaxMs - quickMinMs)), maxMs)
  const doublings = Math.min(attempt - quickTries, 30)
  return Math.min(Math.round(slowStartMs * 2 ** doublings * (0.8 + random() * 0.4)), maxMs)
}
