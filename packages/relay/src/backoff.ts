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

const SPREAD = 0.2

/** The wait before try number `attempt` (from 0). Slow waits vary by a fifth either way, `maxMs` is never passed. */
export function retryDelay(
  attempt: number,
  timings: RetryTimings = DEFAULT_RETRY,
  random: () => number = Math.random,
): number {
  const { quickTries, quickMinMs, quickMaxMs, slowStartMs, maxMs } = timings
  if (attempt < quickTries) return Math.min(Math.round(quickMinMs + random() * (quickMaxMs - quickMinMs)), maxMs)
  const doublings = Math.min(attempt - quickTries, 30)
  // The longest waits vary too: those who wait for the same panel would otherwise come together for ever.
  const mean = Math.min(slowStartMs * 2 ** doublings, maxMs / (1 + SPREAD))
  return Math.min(Math.round(mean * (1 - SPREAD + random() * 2 * SPREAD)), maxMs)
}

const MIN_RETRY_AFTER_MS = 500
const MAX_RETRY_AFTER_MS = 60_000
const MIN_SPREAD_MS = 1_000

/**
 * The wait that a server asked for (`Retry-After`, milliseconds), within bounds and never shorter; spread over half as much again, and over a second
 * at least, since thousands may have been told the same.
 */
export function retryAfterDelay(askedMs: number, random: () => number = Math.random): number {
  const bounded = Math.min(Math.max(askedMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS)
  return Math.round(bounded + random() * Math.max(bounded / 2, MIN_SPREAD_MS))
}
