import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Page } from 'playwright-core'
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

/** Until a page has done what it does only once it has drawn: it moves the focus, listens to keys, sets its clocks. */
export async function drawn(page: Page): Promise<void> {
  const laterThanEffects = 'requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))'
  await page.evaluate(`new Promise((resolve) => ${laterThanEffects})`)
}

/** Asserts that nothing of what was shown once is left in the page. */
export async function forgets(t: Test, page: Page, secret: string): Promise<void> {
  t.not(secret, '')
  await shows(t, async () => (await page.content()).includes(secret), false, 'nothing of it is left')
}
