import { setTimeout as delay } from 'node:timers/promises'

const stepMs = 10

/** Waits until `condition` gives something true; rejects after `deadlineMs`. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const result = await condition()
    if (result) return result as NonNullable<T>
    if (performance.now() > end) throw new Error(`not in time: ${what}`)
    await delay(stepMs)
  }
}
