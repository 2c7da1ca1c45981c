import { setTimeout as delay } from 'node:timers/promises'

const deadlineMs = 15_000
const pollMs = 20

/** Waits until `check` gives something other than `false` or `undefined`, and gives that. What it throws counts as not yet. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + deadlineMs
  let last: unknown
  while (performance.now() < end) {
    try {
      const found = await check()
      if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>
      last = undefined
    } catch (error) {
      last = error
    }
    await delay(pollMs)
  }
  throw new Error(`nothing came of it in ${deadlineMs} ms`, { cause: last })
}
