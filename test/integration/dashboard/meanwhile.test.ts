// What happens to a page that is open: elsewhere signed out, less allowed, the panel away, answers that come late.
import { skipWithout } from '@sallyport/core/testing'
import type { Page, Route } from 'playwright-core'
import t from 'tap'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { enterPassword, signedIn, signedOut } from '../../support/dashboard/entrance.js'
import { drawn, shows } from '../../support/dashboard/shows.js'
import { until } from '../../support/deadline.js'
import { newAllocation, newDevice } from '../../support/tunnel/devices.js'

/** Until when a request is held. */
function held(): { readonly route: (route: Route) => Promise<void>; readonly release: () => void } {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return { route: (route) => released.then(() => route.continue()), release: () => release() }
}

const focused = (page: Page) =>
  page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent?.trim()}`)

t.test('meanwhile', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const { admin } = dashboard
  const asAdmin = { bearer: admin.token }
  const device = await newDevice(dashboard)
  const { id, port } = await newAllocation(dashboard, device, {})
  const link = (page: Page) => page.getByRole('link', { name: `:${port}` })

  t.test('signed out in another tab, and somebody else signed in there', async (t) => {
    const [first, second] = [await dashboard.newPerson(['users:read']), await dashboard.newPerson()]
    const { page, context } = await dashboard.open({ as: first, path: '/users' })
    await page.getByRole('table', { name: 'Users' }).waitFor()
    const other = await context.newPage()
    await other.goto(dashboard.url)
    await other.getByRole('button', { name: 'Sign out' }).click()
    await signedOut(other)
    await enterPassword(other, second)
    await signedIn(other)
    await page.locator('.who').getByText(second.email).waitFor()
    await page.getByText('This page is not for you').waitFor()
    await shows(t, () => page.getByText(first.email).count(), 0, 'nothing of the first is left')
    await other.getByRole('button', { name: 'Sign out' }).click()
    await signedOut(page)
  })

  t.test('permissions that were taken away go from the page with the first refusal', async (t) => {
    const person = await dashboard.newPerson(['users:read', 'users:write'])
    const { page } = await dashboard.open({ as: person, path: '/users' })
    await page.getByRole('button', { name: 'Create user' }).click()
    await page.getByLabel('E-mail').fill('somebody@example.com')
    await dashboard.ok('PATCH', `/api/users/${person.id}`, { ...asAdmin, body: { permissions: [] } })
    await page.getByRole('dialog').getByRole('button', { name: 'Create user' }).click()
    await page.getByText('This page is not for you').waitFor()
    await shows(t, () => page.getByRole('dialog').count(), 0)
    await shows(t, () => page.getByRole('link', { name: 'Users' }).count(), 0)
  })

  t.test('a panel that goes away between the password and the page', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open()
    await signedOut(page)
    await page.route('**/api/auth/session', (route) => route.abort())
    await enterPassword(page, person)
    await page.getByRole('alert').getByText('cannot be reached').waitFor()
    await shows(t, () => page.getByLabel('Password').count(), 0, 'it is not asked for again')
    await page.unroute('**/api/auth/session')
    await page.getByRole('button', { name: 'Try again' }).click()
    await signedIn(page)
  })

  t.test('tunnels switched off and on under an open page', async (t) => {
    const { page } = await dashboard.open({ as: admin, path: '/tunnels' })
    await link(page).waitFor()
    const switchTo = (tunnels: boolean) =>
      dashboard.ok('PATCH', '/api/settings', { ...asAdmin, body: { features: { tunnels } } })
    await switchTo(false)
    await page.getByText('Tunnels are switched off').waitFor()
    // Each try is refused again: what is shown stays.
    await page.evaluate(() => {
      const main = document.querySelector('main') as HTMLElement
      new MutationObserver(() => main.setAttribute('data-changed', '')).observe(main, {
        childList: true,
        subtree: true,
      })
    })
    for (let tries = 0; tries < 2; tries += 1) await page.waitForResponse('**/api/tunnel/devices')
    t.equal(await page.locator('main').getAttribute('data-changed'), null, 'it does not flicker')
    await switchTo(true)
    await link(page).waitFor({ timeout: 45_000 })

    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('switch', { name: 'Tunnels' }).click()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByText('Tunnels off.').waitFor()
    // Later tries are far apart.
    for (let tries = 0; tries < 4; tries += 1) await page.waitForResponse('**/api/tunnel/devices')
    // The next would come after six seconds at the earliest.
    const stream = page.waitForRequest('**/api/tunnel/events', { timeout: 5_000 })
    await page.getByRole('switch', { name: 'Tunnels' }).click()
    await page.getByText('Tunnels on.').waitFor()
    t.ok(await stream, 'whoever switches them on does not wait for the next try')
    await page.getByRole('link', { name: 'Tunnels', exact: true }).click()
    await link(page).waitFor()
  })

  t.test('answers that come when the dialog has been closed', async (t) => {
    const { page } = await dashboard.open({ as: admin, path: '/organisations' })
    const slow = held()
    await page.route('**/api/organisations', (route) =>
      route.request().method() === 'POST' ? slow.route(route) : route.fallback(),
    )
    await page.getByRole('button', { name: 'Create organisation' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Slow Answers')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('link', { name: 'API keys' }).click()
    await page.getByRole('button', { name: 'Create key' }).first().click()
    await page.getByLabel('Name').fill('typed')
    const answer = page.waitForResponse((response) => response.request().method() === 'POST')
    const known = page.waitForResponse('**/api/auth/session')
    slow.release()
    await (await answer).finished()
    await (await known).finished()
    // A turn of the page more: what it would do then it has done.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    t.equal(new URL(page.url()).pathname, '/keys', 'nobody is taken away from where they are')
    t.equal(await page.getByLabel('Name').inputValue(), 'typed', 'and no other dialog is closed')
  })

  t.test('a chart that could not be read again is read again', async (t) => {
    const context = await dashboard.browser.newContext()
    t.teardown(() => context.close())
    const page = await context.newPage()
    const data = { email: admin.email, password: admin.password }
    await context.request.post(`${dashboard.url}/api/auth/login`, { data })
    await context.clock.install()
    await page.goto(`${dashboard.url}/tunnels/${id}`)
    await page.getByText('No traffic yet').waitFor()
    await page.route('**/traffic?*', (route) => route.abort(), { times: 1 })
    await context.clock.fastForward(61_000)
    await page.getByRole('alert').getByText('cannot be reached').waitFor()
    t.equal(await page.getByText('No traffic yet').isVisible(), true, 'what is known stays')
    await drawn(page)
    await context.clock.fastForward(61_000)
    await page.getByRole('alert').waitFor({ state: 'hidden' })
  })

  t.test('the focus is not lost with what had it', async (t) => {
    const person = await dashboard.newPerson(['*'])
    await dashboard.newSession(person)
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const has = (what: string) => until(`the focus at ${what}`, async () => (await focused(page)) === what)

    await page
      .getByRole('button', { name: /^End the session/ })
      .first()
      .focus()
    await page.keyboard.press('Enter')
    await page.getByText('The session has ended.').waitFor()
    await has('H1 Account and security')

    await page.goto(`${dashboard.url}/tunnels/${id}`)
    await page.getByRole('button', { name: 'Pause' }).focus()
    await page.keyboard.press('Enter')
    await has('BUTTON Resume')
    await page.keyboard.press('Enter')
    await has('BUTTON Pause')

    await page.goto(`${dashboard.url}/audit`)
    await page.getByLabel('Action').fill('session.created')
    await page.keyboard.press('Enter')
    await page.waitForURL(/action=session\.created/)
    await page.getByRole('strong').getByText('Signed in').first().waitFor()
    await shows(t, () => page.evaluate(() => document.activeElement?.getAttribute('name')), 'action')
    await page.getByRole('button', { name: 'Show everything' }).focus()
    await page.keyboard.press('Enter')
    await has('H1 Audit')
    await shows(t, () => page.getByLabel('Action').inputValue(), '')
    await page.goBack()
    await until('the filter', async () => (await page.getByLabel('Action').inputValue()) === 'session.created')

    await page.goto(`${dashboard.url}/keys`)
    await page.route('**/api/apikeys', (route) => route.abort(), { times: 1 })
    await page.getByRole('button', { name: 'Create key' }).first().click()
    await page.getByLabel('Name').fill('backup')
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('cannot be reached').waitFor()
    await has('BUTTON Create key')
    t.equal(await page.getByLabel('Name').inputValue(), 'backup', 'what was typed stays')
    await page.keyboard.press('Enter')
    await page.getByLabel('I have stored the key').check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('button', { name: 'Delete backup' }).click()
    await page.getByRole('button', { name: 'Delete key' }).click()
    await page.getByText('The key is deleted.').waitFor()
    await has('H1 API keys')
  })

  t.test('more users than a part has, with one that came in between: all of them, once', async (t) => {
    const { page } = await dashboard.open({ as: admin })
    const all = Array.from({ length: 130 }, (_, n) => ({ id: `u${n}`, email: `user-${n}@example.com`, name: null }))
    const rest = { permissions: [], suspended: false, quotas: null, createdAt: '2026-01-01T00:00:00.000Z' }
    let asked = 0
    await page.route('**/api/users?*', (route) => {
      asked += 1
      const query = new URL(route.request().url()).searchParams
      const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))]
      // Whoever comes stands first, so that all others move.
      if (asked === 2) all.unshift({ id: 'new', email: 'new@example.com', name: null })
      const users = all.slice(offset, offset + limit).map((user) => ({ ...rest, ...user }))
      return route.fulfill({ json: { users, total: all.length } })
    })
    await page.goto(`${dashboard.url}/users`)
    await page.getByLabel('Filter').fill('user-')
    await page.getByRole('button', { name: /^Load all/ }).click()
    await page.getByText('130 of the 130 users there are match.').waitFor()
    t.ok(asked <= 3, `asked ${asked} times`)
  })
})
