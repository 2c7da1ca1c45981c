import { setTimeout as delay } from 'node:timers/promises'

const deadlineMs = 60_000
const stepMs = 20

/** Waits until `condition` gives something true. */
export async function until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const result = await condition()
    if (result) return result as NonNullable<T>
    if (performance.now() > end) throw new Error(`not in time: ${what}`)
    await delay(stepMs)
  }
}
