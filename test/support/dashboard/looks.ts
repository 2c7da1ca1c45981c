import type { Test } from 'tap'
import { violations } from './accessibility.js'
import type { Dashboard, OpenOptions, Visit } from './dashboard.js'

/** Both widths, both themes; every-page.test has each with each. */
const looks = [
  { width: 1280, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const

/** Opens a page in light, and in dark on a phone: axe-core finds nothing, and nothing sticks out sideways. */
export async function looksWell(
  t: Test,
  dashboard: Dashboard,
  options: Pick<OpenOptions, 'as' | 'path'>,
  prepare: (visit: Visit) => Promise<unknown>,
): Promise<void> {
  for (const look of looks) {
    const visit = await dashboard.open({ ...options, ...look })
    await prepare(visit)
    const name = `${options.path ?? '/'} in ${look.colorScheme} at ${look.width}`
    t.strictSame(await violations(visit.page), [], `${name}: nothing that axe-core finds`)
    const overflow = 'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)'
    t.equal(await visit.page.evaluate<number>(overflow), 0, `${name}: nothing sticks out sideways`)
    await visit.context.close()
  }
}
