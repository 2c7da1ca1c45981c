import { setTimeout as delay } from 'node:timers/promises'

const deadlineMs = 40_000
const stepMs = 50

/** Waits until `condition` gives something true; what it throws counts as no. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = deadlineMs,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs
  let last: unknown
  while (performance.now() < end) {
    try {
      const result = await condition()
      if (result) return result as NonNullable<T>
    } catch (error) {
      last = error
    }
    await delay(stepMs)
  }
  throw new Error(`not in time: ${what}`, { cause: last })
}
