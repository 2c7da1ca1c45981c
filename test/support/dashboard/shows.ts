import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'

const pollEveryMs = 20
const timeoutMs = 10_000

/** Asserts what a page comes to show: it draws after it was told, so it is read again until it is what is wanted. */
export async function shows<T>(
  t: Test,
  read: () => Promise<T>,
  wanted: NoInfer<T> | RegExp,
  message = '',
): Promise<void> {
  const isWanted = (found: T): boolean =>
    wanted instanceof RegExp ? wanted.test(String(found)) : isDeepStrictEqual(found, wanted)
  const end = performance.now() + timeoutMs
  let found = await read()
  while (!isWanted(found) && performance.now() < end) {
    await delay(pollEveryMs)
    found = await read()
  }
  if (wanted instanceof RegExp) t.match(found, wanted, message)
  else t.strictSame(found, wanted, message)
}
