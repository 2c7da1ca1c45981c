import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, type OpenOptions, startDashboard } from '../../support/dashboard/dashboard.js'
import { furnish } from '../../support/dashboard/furnish.js'
import { drawn, shows } from '../../support/dashboard/shows.js'

/** Of what the browser itself calls good, a quarter (web.dev: a layout shift of 0.1). */
const mostShift = 0.025

t.test('every page', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const { tunnel, organisationId } = await furnish(t, dashboard)
  const places = [
    '/',
    '/tunnels',
    `/tunnels/${tunnel.id}`,
    '/devices',
    '/tunnel/verify?user_code=ABCD-1234',
    '/relays',
    '/organisations',
    `/organisations/${organisationId}`,
    '/keys',
    '/account',
    '/users',
    '/settings',
    '/audit',
    '/tunnels/99999999',
  ]
  const looksRight = async (t: Test, look: Pick<OpenOptions, 'as' | 'colorScheme' | 'width'>, paths: string[]) => {
    const { page, context } = await dashboard.open(look)
    for (const path of paths) {
      await page.goto(dashboard.url + path)
      await settled(page)
      t.strictSame(await violations(page), [], `${path}: nothing that axe-core finds`)
      const { overflow, shift, headings, title } = await measure(page)
      t.equal(overflow, 0, `${path}: nothing sticks out sideways`)
      t.ok(shift < mostShift, `${path}: nothing jumps (${shift})`)
      t.equal(headings, 1, `${path}: one heading of the first rank`)
      t.match(title, /^.+ · Sallyport$/, `${path}: a title of its own`)
    }
    await context.close()
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      const look = { colorScheme, width }
      t.test(`in ${colorScheme} at ${width} pixels`, (t) => looksRight(t, { ...look, as: dashboard.admin }, places))
      t.test(`the entrance in ${colorScheme} at ${width} pixels`, (t) => looksRight(t, look, ['/', '/reset-password']))
    }
  }

  t.test('by keyboard alone: into the menu, to a page, whose heading then has the focus', async (t) => {
    const { page } = await dashboard.open({ as: dashboard.admin, width: 390 })
    await settled(page)
    await page.keyboard.press('Tab')
    await shows(t, () => focused(page), 'Skip to the page')
    await page.keyboard.press('Tab')
    await shows(t, () => focused(page), 'Menu')
    await page.keyboard.press('Enter')
    await place(page).waitFor()
    await drawn(page)
    await page.keyboard.press('Escape')
    await place(page).waitFor({ state: 'hidden' })
    await shows(t, () => focused(page), 'Menu', 'the focus goes back')
    await page.keyboard.press('Enter')
    await place(page).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor()
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
    await shows(t, () => focused(page), 'Devices')
    await place(page).waitFor({ state: 'hidden' })
  })
})

const place = (page: Page) => page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Devices' })

/** Until what the page asked for is there. */
async function settled(page: Page): Promise<void> {
  await page.locator('h1').waitFor()
  await page.waitForFunction(() => document.querySelector('.waiting') === null)
}

interface Measures {
  readonly overflow: number
  readonly shift: number
  readonly headings: number
  readonly title: string
}

function measure(page: Page): Promise<Measures> {
  return page.evaluate(async () => {
    const shift = await new Promise<number>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        resolve(list.getEntries().reduce((sum, entry) => sum + (entry as unknown as { value: number }).value, 0))
      })
      observer.observe({ type: 'layout-shift', buffered: true })
      // What is buffered is told in a turn of its own, and nothing is told of nothing.
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(0))))
    })
    return {
      overflow: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
      shift,
      headings: document.querySelectorAll('h1').length,
      title: document.title,
    }
  })
}

function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.textContent?.trim())
}
