import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `condition` gives something that is true, asking again and again, and gives it. */
export async function until<T>(what: string, condition: () => Promise<T> | T, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs
  while (performance.now() < end) {
    const value = await condition()
    if (value) return value
    await delay(20)
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`)
}
