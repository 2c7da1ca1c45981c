import { join as joinPath } from 'node:path'
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { enroll, runAgent } from '../../support/agent.js'
import { api } from '../../support/api.js'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { shows } from '../../support/dashboard/shows.js'
import { until } from '../../support/deadline.js'
import { temporaryDirectory } from '../../support/panel.js'
import { newAllocation, newDevice } from '../../support/tunnel/devices.js'
import { echoService, join } from '../../support/tunnel/players.js'

const options = { skip: skipWithout('Chromium', missingChromium()) }
const slider = (page: Page) => page.getByRole('slider', { name: 'Traffic over time' })
/** Colours of the lines that are drawn, as a browser computes them. */
const drawnColours = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('.chart .ct-line')]
    .filter((line) => line.getAttribute('d').length > 20)
    .map((line) => getComputedStyle(line).stroke)`)
const colourOf = (page: Page, swatch: string) =>
  page.evaluate<string>(`getComputedStyle(document.querySelector('.swatch.${swatch}')).backgroundColor`)

/** Answers for the series what a tunnel with a long past would have. */
async function withPast(page: Page): Promise<{ asked: string[] }> {
  const asked: string[] = []
  await page.route('**/api/tunnel/allocations/*/traffic?*', (route) => {
    const query = new URL(route.request().url()).searchParams
    asked.push(query.toString())
    const resolution = query.get('resolution')
    const stepMs = resolution === 'hour' ? 3_600_000 : 60_000
    const to = Math.ceil(Date.parse(query.get('to') ?? new Date().toISOString()) / stepMs) * stepMs
    const from = Math.floor(Date.parse(query.get('from') ?? new Date(to - 60 * stepMs).toISOString()) / stepMs) * stepMs
    const points = Array.from({ length: (to - from) / stepMs }, (_, n) => ({
      at: new Date(from + n * stepMs).toISOString(),
      bytesIn: n % 3 === 0 ? 0 : stepMs * 2,
      bytesOut: n % 3 === 0 ? 0 : stepMs * 6,
      connections: n % 3 === 0 ? 0 : 1,
    }))
    const now = { bytesIn: 0, bytesOut: 0, connections: 0, open: 0, bytesInPerSecond: 0, bytesOutPerSecond: 0 }
    return route.fulfill({
      json: { resolution, from: new Date(from).toISOString(), to: new Date(to).toISOString(), points, now },
    })
  })
  return { asked }
}

t.test('the chart of a tunnel', options, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const { admin } = dashboard

  t.test('real players behind a real agent: numbers, line and table follow within seconds', async (t) => {
    const config = joinPath(await temporaryDirectory(t), 'agent.json')
    const asAdmin = api(dashboard.url, admin.token)
    await enroll(t, dashboard.url, asAdmin, config)
    const localPort = await echoService(t)
    const { tunnels } = await runAgent(t, asAdmin, config, localPort)
    const [tunnel] = tunnels
    if (!tunnel) throw new Error('no tunnel')

    const { page } = await dashboard.open({ as: admin, path: `/tunnels/${tunnel.id}` })
    await page.getByText('No traffic yet').waitFor()
    t.strictSame(await violations(page), [])
    const heightBefore = await page.evaluate<number>('document.querySelector(".traffic").offsetHeight')

    const begun = Date.now()
    const players = await Promise.all([join(t, tunnel.port), join(t, tunnel.port), join(t, tunnel.port)])
    const talking = setInterval(() => {
      for (const { socket } of players) socket.write('x'.repeat(4_000))
    }, 50)
    t.teardown(() => clearInterval(talking))
    const stat = (name: string) => page.locator('.stats > div').filter({ hasText: name }).locator('strong').innerText()
    await until('three players', async () => (await stat('Players now')) === '3', 10_000)
    await until('rates', async () => {
      const rates = [await stat('In, from players'), await stat('Out, to players')]
      return rates.every((rate) => /^\d+\.\d [kM]B\/s$/.test(rate))
    })
    t.comment(`players and rates shown after ${Date.now() - begun} ms`)
    await page.locator('.chart svg').waitFor()
    await until('both lines', async () => {
      const colours = new Set(await drawnColours(page))
      return colours.has(await colourOf(page, 'in')) || colours.has(await colourOf(page, 'out'))
    })
    await until('a value in words', async () =>
      /in \d+\.\d [kM]B\/s/.test((await slider(page).getAttribute('aria-valuetext')) ?? ''),
    )
    const heightAfter = await page.evaluate<number>('document.querySelector(".traffic").offsetHeight')
    t.equal(heightAfter, heightBefore, 'nothing jumps')
    t.strictSame(await violations(page), [])

    clearInterval(talking)
    for (const { socket } of players) socket.destroy()
    await until(
      'nobody',
      async () => (await stat('Players now')) === '0' && (await stat('In, from players')) === '0 B/s',
      10_000,
    )
    // Stored every five seconds.
    await until('the minute in the table', async () => {
      await page.reload()
      await page.getByText('The same as a table').click()
      return (
        await page.getByRole('table', { name: 'Traffic by minute' }).getByRole('row').nth(1).innerText()
      ).includes('kB')
    })
    await shows(
      t,
      () => page.getByText(/^In the last hour:/).innerText(),
      /kB in from players, .*connections\. The busiest minute was \d\d:\d\d/,
    )
    t.strictSame(await violations(page), [])
  })

  const device = await newDevice(dashboard)
  const { id } = await newAllocation(dashboard, device, { name: 'With a past' })

  t.test('an hour, a day and ninety days, in the page’s colours and at every width', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        const { page, context } = await dashboard.open({ as: admin, width, colorScheme })
        const { asked } = await withPast(page)
        await page.goto(`${dashboard.url}/tunnels/${id}`)
        await page.locator('.chart svg').waitFor()
        for (const [label, count, step] of [
          ['Day', 1_440, 'minute'],
          ['90 days', 2_160, 'hour'],
        ] as const) {
          const button = page.getByRole('button', { name: label, exact: true })
          await button.click()
          t.equal(await button.getAttribute('aria-pressed'), 'true')
          await until(label, async () => (await slider(page).getAttribute('aria-valuemax')) === String(count - 1))
          await page.getByText(new RegExp(`The busiest ${step} was`)).waitFor()
          t.ok(asked.at(-1)?.startsWith(`resolution=${step}`))
        }
        await page.getByRole('button', { name: 'Hour', exact: true }).click()
        await page.getByText(/^In the last hour:/).waitFor()
        await until('its colours', async () => {
          const colours = new Set(await drawnColours(page))
          return colours.has(await colourOf(page, 'in')) && colours.has(await colourOf(page, 'out'))
        })
        t.strictSame(await violations(page), [], `${colorScheme} at ${width}`)
        const overflow = 'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)'
        await shows(t, () => page.evaluate(overflow), 0, `no sideways scroll at ${width}`)
        await context.close()
      }
    }
  })

  t.test('it follows the theme and the width', async (t) => {
    const { page } = await dashboard.open({ as: admin })
    await withPast(page)
    await page.goto(`${dashboard.url}/tunnels/${id}`)
    const has = async (swatch: string) => (await drawnColours(page)).includes(await colourOf(page, swatch))
    await page.locator('.chart svg').waitFor()
    await until('light', async () => (await has('in')) && (await has('out')))
    const light = await colourOf(page, 'in')
    await page.emulateMedia({ colorScheme: 'dark' })
    await until('other colours', async () => (await colourOf(page, 'in')) !== light)
    await until('dark', async () => (await has('in')) && (await has('out')))
    const widths = async () =>
      page.evaluate<number[]>('[...document.querySelectorAll(".chart, .chart svg")].map((e) => e.clientWidth)')
    await page.setViewportSize({ width: 600, height: 900 })
    await until('the new width', async () => {
      const [box, chart] = await widths()
      return box === chart && (box ?? 0) < 600
    })
    t.equal(await page.evaluate('document.querySelector(".chart").clientHeight'), 260, 'its height stays')
  })

  t.test('by keyboard from value to value, and as a table', async (t) => {
    const { page } = await dashboard.open({ as: admin })
    await withPast(page)
    await page.goto(`${dashboard.url}/tunnels/${id}`)
    await page.getByRole('button', { name: 'Day', exact: true }).click()
    await until('the day', async () => (await slider(page).getAttribute('aria-valuemax')) === '1439')
    await slider(page).focus()
    const now = async () => Number(await slider(page).getAttribute('aria-valuenow'))
    t.equal(await now(), 1_439)
    await page.keyboard.press('ArrowLeft')
    await until('one back', async () => (await now()) === 1_438)
    await page.keyboard.press('PageDown')
    await until('ten back', async () => (await now()) === 1_428)
    await page.keyboard.press('Home')
    await until('the first', async () => (await now()) === 0)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowRight')
    await until('the second', async () => (await now()) === 1)
    await shows(
      t,
      () => slider(page).getAttribute('aria-valuetext'),
      /^\w+ \d+, \d\d:\d\d: in 2\.0 kB\/s, out 6\.0 kB\/s$/,
    )
    await shows(t, () => page.locator('.chart-legend').innerText(), /2\.0 kB\/s[\s\S]*6\.0 kB\/s/)
    await page.keyboard.press('End')
    await until('the last', async () => (await now()) === 1_439)

    const summary = page.getByText('The same as a table')
    await summary.focus()
    await page.keyboard.press('Enter')
    const table = page.getByRole('table', { name: 'Traffic by minute' })
    await table.waitFor()
    await shows(t, () => table.getByRole('row').count(), 101, 'a hundred and the head')
    await page.getByRole('button', { name: 'Show more' }).click()
    await shows(t, () => table.getByRole('row').count(), 201)
    await shows(t, () => table.getByRole('row').nth(1).innerText(), /120\.0 kB\s+360\.0 kB\s+1/)
    t.strictSame(await violations(page), [])
  })

  t.test('a chosen time stays chosen while the hour goes on', async (t) => {
    const { page } = await dashboard.open({ as: admin })
    await withPast(page)
    await page.goto(`${dashboard.url}/tunnels/${id}`)
    await page.locator('.chart .ct-line').first().waitFor()
    const [most, text] = ['aria-valuemax', 'aria-valuetext'].map((name) => () => slider(page).getAttribute(name))
    /** Each second has a value more. */
    const later = async () => {
      const before = Number(await most?.())
      await until('two more', async () => Number(await most?.()) >= before + 2)
    }
    await slider(page).focus()
    const focused = await text?.()
    await later()
    t.equal(await text?.(), focused, 'what has the focus is not read out each second')
    await page.keyboard.press('Home')
    const first = await text?.()
    t.not(first, focused)
    await later()
    t.equal(await text?.(), first)
    await shows(t, () => page.locator('.ct-selection').count(), 1)

    const box = await page.locator('.chart').boundingBox()
    if (!box) throw new Error('no chart')
    await slider(page).blur()
    const pointedAt = async (y: number) => {
      await page.mouse.move(box.x + box.width / 2, y)
      return page.locator('.chart-legend').innerText()
    }
    await shows(t, () => pointedAt(box.y + box.height / 2), /\d\d:\d\d/)
    await page.locator('.ct-selection').waitFor({ state: 'attached' })
    // Over a mark's words, which have a place of their own in the drawing, it is the same time.
    // It is looked at again: a minute may begin between the two.
    const isSame = async () => (await pointedAt(box.y + box.height / 2)) === (await pointedAt(box.y + box.height - 12))
    await shows(t, isSame, true)
    await page.mouse.move(0, 0)
    await page.locator('.ct-selection').waitFor({ state: 'detached' })
    await page.getByText('now', { exact: true }).waitFor()
  })

  t.test('an hour that comes twice, in the zone of whoever looks', async (t) => {
    const context = await dashboard.browser.newContext({
      timezoneId: 'America/New_York',
      viewport: { width: 700, height: 900 },
    })
    t.teardown(() => context.close())
    const page = await context.newPage()
    const data = { email: admin.email, password: admin.password }
    await context.request.post(`${dashboard.url}/api/auth/login`, { data })
    await context.clock.install({ time: '2026-11-01T06:20:30Z' })
    await withPast(page)
    await page.goto(`${dashboard.url}/tunnels/${id}`)
    const marks = page.locator('.ct-label.ct-horizontal')
    await marks.first().waitFor()
    await shows(t, () => marks.allInnerTexts(), ['01:30', '01:40', '01:50', '01:00', '01:10', '01:20'])
    await page.getByRole('button', { name: 'Day', exact: true }).click()
    // The chart is drawn after the words.
    await marks.getByText('Nov 1').waitFor()
    await shows(t, () => marks.allInnerTexts(), ['06:00', '12:00', '18:00', 'Nov 1'])
  })

  t.test('a series that cannot be read can be asked for again', async (t) => {
    const { page } = await dashboard.open({ as: admin })
    await page.route('**/api/tunnel/allocations/*/traffic?*', (route) => route.abort(), { times: 1 })
    await page.goto(`${dashboard.url}/tunnels/${id}`)
    await page.getByRole('alert').getByText('cannot be reached').waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('No traffic yet').waitFor()
  })
})
