import type { EventEmitter } from 'node:events'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const pollEveryMs = 50

/** Waits until `condition` gives something, asking again and again; fails with `what` when it takes too long. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < end) {
    try {
      const value = await condition()
      if (value) return value
    } catch (error) {
      last = error
    }
    await delay(pollEveryMs)
  }
  throw new Error(`${what} did not come about within ${timeoutMs} ms`, { cause: last })
}

/** Fails when `promise` takes too long. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = 20_000): Promise<T> {
  const controller = new AbortController()
  const late = delay(timeoutMs, undefined, { signal: controller.signal }).then(() => {
    throw new Error(`${what} did not end within ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    controller.abort()
    late.catch(() => undefined)
  }
}

/** The arguments of an event, or a failure. */
export function event(emitter: EventEmitter, name: string, timeoutMs?: number): Promise<unknown[]> {
  return within(`event ${name}`, once(emitter, name), timeoutMs)
}
