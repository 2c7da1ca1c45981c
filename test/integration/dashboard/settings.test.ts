// The page of settings: what is known by its own words, what is not by its type.
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { refuseOnce } from '../../support/dashboard/refuse.js'
import { shows } from '../../support/dashboard/shows.js'

t.test('settings', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const settings = async () => (await dashboard.ok('GET', '/api/settings', { bearer: dashboard.admin.token })).body
  const path = '/settings'

  t.test('the switch of tunnels says what it costs', async (t) => {
    await looksWell(t, dashboard, { as: dashboard.admin, path }, ({ page }) => page.getByText('Default: 10').waitFor())
    await looksWell(t, dashboard, { as: dashboard.admin, path }, async ({ page }) => {
      await page.getByRole('switch', { name: 'Tunnels' }).click()
      await page.getByText('players are cut off').waitFor()
    })
    const { page } = await dashboard.open({ as: dashboard.admin, path })
    const flag = page.getByRole('switch', { name: 'Tunnels' })
    await flag.click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await shows(t, () => flag.isChecked(), true, 'thought better of it')
    await flag.click()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByText('Tunnels off.').waitFor()
    await shows(t, () => flag.isChecked(), false)
    t.equal((await settings()).features.tunnels, false)
    // Back on without a question: nothing is lost by it. By keyboard.
    await flag.focus()
    await page.keyboard.press('Space')
    await page.getByText('Tunnels on.').waitFor()
    await shows(t, () => flag.isChecked(), true)
    t.equal((await settings()).features.tunnels, true)

    await refuseOnce(page, '**/api/settings', {
      method: 'PATCH',
      status: 503,
      error: 'service_unavailable',
      detail: 'A part is missing',
    })
    await flag.click()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByRole('dialog').getByText('A part is missing').waitFor()
    t.equal((await settings()).features.tunnels, true)
  })

  t.test('quotas, and back to the default', async (t) => {
    const { page } = await dashboard.open({ as: dashboard.admin, path })
    const form = page.getByRole('form', { name: 'Quotas' })
    const back = form.getByRole('button', { name: 'Back to default: Tunnels per user' })
    await page.getByText('Default: 10').waitFor()
    t.equal(await back.count(), 0, 'it has its default')
    let sent: unknown
    page.on('request', (request) => {
      if (request.method() === 'PATCH') sent = request.postDataJSON()
    })
    await form.getByLabel('Tunnels per user', { exact: true }).fill('20')
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings are saved').waitFor()
    t.strictSame(sent, { quotas: { allocationsPerUser: 20 } }, 'only what is changed is sent')
    t.equal((await settings()).quotas.allocationsPerUser, 20)
    t.strictSame(await violations(page), [])
    // What is typed elsewhere stays while one field goes back.
    await form.getByLabel('Tunnels per organisation', { exact: true }).fill('70')
    await back.click()
    await back.waitFor({ state: 'detached' })
    await shows(t, () => form.getByLabel('Tunnels per user', { exact: true }).inputValue(), '10')
    await shows(t, () => form.getByLabel('Tunnels per organisation', { exact: true }).inputValue(), '70')
    t.strictSame(sent, { quotas: { allocationsPerUser: null } })
    t.strictSame((await settings()).quotas, { allocationsPerUser: 10, allocationsPerOrganisation: 50 })

    // Past what the browser would stop.
    await form.getByLabel('Tunnels per organisation', { exact: true }).evaluate((input) => input.removeAttribute('max'))
    await form.getByLabel('Tunnels per organisation', { exact: true }).fill('99999999')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByText('Must be <= 1000000').waitFor()
    await shows(
      t,
      () => form.getByLabel('Tunnels per organisation', { exact: true }).getAttribute('aria-invalid'),
      'true',
    )
    t.strictSame(await violations(page), [])
  })

  t.test('a section that nobody here knows', async (t) => {
    const limits = {
      enabled: true,
      motto: 'Welcome',
      perPage: 25,
      hosts: ['a.example', 'b.example'],
      rates: { low: 1, high: 9 },
    }
    const mode = 'strict'
    const changes: unknown[] = []
    const pretend = async (page: Page) => {
      await page.route('**/api/openapi.json', async (route) => {
        const answer = await route.fetch()
        const document = await answer.json()
        document.components.schemas.Settings.properties.servers = {
          type: 'object',
          properties: {
            motto: { type: 'string', description: 'Shown to everyone who joins', default: 'Hello' },
            mode: { enum: ['strict', 'lax'], type: 'string', default: 'strict' },
          },
        }
        await route.fulfill({ response: answer, json: document })
      })
      await page.route('**/api/settings', async (route) => {
        if (route.request().method() === 'PATCH') changes.push(route.request().postDataJSON())
        await route.fulfill({ json: { ...(await settings()), servers: { ...limits, mode } } })
      })
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByText('Shown to everyone who joins Default: Hello.').waitFor()
    }
    await looksWell(t, dashboard, { as: dashboard.admin, path: '/account' }, async ({ page }) => {
      const menu = page.getByRole('button', { name: 'Menu' })
      await page.getByRole('heading', { level: 1 }).waitFor()
      if (await menu.isVisible()) await menu.click()
      await pretend(page)
    })
    const { page } = await dashboard.open({ as: dashboard.admin })
    await pretend(page)
    const form = page.getByRole('form', { name: 'Servers' })
    await form.getByRole('switch', { name: 'Enabled' }).uncheck()
    await form.getByLabel('Motto', { exact: true }).fill('Good evening')
    await form.getByLabel('Per page', { exact: true }).fill('50')
    await form.getByLabel('Hosts', { exact: true }).fill('a.example\n\n  c.example ')
    await form.getByLabel('Mode', { exact: true }).selectOption('lax')
    await form.getByLabel('Rates', { exact: true }).fill('{"low": 1,')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByText('This is no JSON').waitFor()
    t.strictSame(changes, [], 'nothing is sent that cannot be read')
    await form.getByLabel('Rates', { exact: true }).fill('{"low": 2, "middle": 5}')
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings are saved').waitFor()
    t.strictSame(changes, [
      {
        servers: {
          enabled: false,
          motto: 'Good evening',
          perPage: 50,
          hosts: ['a.example', 'c.example'],
          mode: 'lax',
          rates: { low: 2, middle: 5, high: null },
        },
      },
    ])
    await shows(t, () => form.getByRole('button', { name: 'Back to default: Mode' }).count(), 0)
    await shows(
      t,
      () => form.getByRole('button', { name: 'Back to default: Hosts' }).count(),
      1,
      'whose default is not known',
    )
  })

  t.test('not for everyone, and without the panel', async (t) => {
    const { page: foreign } = await dashboard.open({ as: await dashboard.newPerson(), path })
    await foreign.getByText('This page is not for you').waitFor()
    await shows(t, () => foreign.getByRole('link', { name: 'Settings' }).count(), 0)
    t.strictSame(await violations(foreign), [])

    const { page } = await dashboard.open({ as: dashboard.admin })
    await page.route('**/api/settings', (route) => route.abort(), { times: 1 })
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByText('The panel cannot be reached').waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('switch', { name: 'Tunnels' }).waitFor()
  })
})
