import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after `ms`, or at once when the signal aborts; true when the time has passed. */
export async function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}
