import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { type Dashboard, missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { enterPassword, signedIn, signedOut } from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { shows } from '../../support/dashboard/shows.js'

t.test('signing in by password', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard: Dashboard = await startDashboard(t)

  t.test('afterwards one is where one wanted to be', async (t) => {
    const person = await dashboard.newPerson()
    const { page, context } = await dashboard.open({ path: '/keys' })
    await enterPassword(page, person)
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor()
    t.equal(new URL(page.url()).pathname, '/keys')
    const [cookie] = await context.cookies()
    t.match(cookie, { name: 'session', httpOnly: true, sameSite: 'Lax' })
    t.notOk(await page.evaluate('localStorage.length + sessionStorage.length'), 'nothing is kept for scripts to read')

    await page.reload()
    await signedIn(page)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signedOut(page)
    t.equal(new URL(page.url()).pathname, '/keys')
    await page.reload()
    await signedOut(page)
  })

  t.test('by keys alone', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open()
    await signedOut(page)
    await shows(t, () => page.evaluate('document.activeElement.name'), 'email', 'one can type at once')
    await page.keyboard.type(person.email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(person.password)
    await page.keyboard.press('Enter')
    await signedIn(page)
  })

  t.test('what password managers and browsers look for is there', async (t) => {
    const { page } = await dashboard.open()
    await shows(t, () => page.getByLabel('E-mail').getAttribute('autocomplete'), 'username webauthn')
    await shows(t, () => page.getByLabel('Password', { exact: true }).getAttribute('autocomplete'), 'current-password')
    await shows(t, () => page.title(), 'Sign in · Sallyport')
  })

  t.test('nobody is told whether there is such a user, nor that one is suspended', async (t) => {
    const suspended = await dashboard.newPerson()
    const body = { suspended: true }
    await dashboard.ok('PATCH', `/api/users/${suspended.id}`, { bearer: dashboard.admin.token, body })
    const person = await dashboard.newPerson()
    const words = 'E-mail and password do not match, or the account is suspended.'
    const { page } = await dashboard.open()
    for (const wrong of [
      suspended,
      { ...person, password: 'not the password' },
      { email: 'nobody@example.com', password: 'whatever' },
    ]) {
      await page.reload()
      await enterPassword(page, wrong)
      await shows(t, () => page.getByRole('alert').innerText(), words)
      t.equal(await page.getByLabel('E-mail').inputValue(), wrong.email, 'what was typed stays')
    }
    await enterPassword(page, person)
    await signedIn(page)
  })

  t.test('a session that is ended elsewhere leads back to the sign-in, and on', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await signedIn(page)
    await dashboard.ok('DELETE', '/api/auth/sessions', { bearer: person.token })
    await signedOut(page)
    await enterPassword(page, person)
    await page.getByRole('heading', { name: 'Account and security' }).waitFor()
    t.equal(new URL(page.url()).pathname, '/account')
  })

  t.test('without a network one is told, and tries again', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open()
    await signedOut(page)
    await page.route('**/api/auth/login', (route) => route.abort(), { times: 1 })
    await enterPassword(page, person)
    await shows(t, () => page.getByRole('alert').innerText(), /cannot be reached/)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await signedIn(page)
  })

  t.test('a panel that is away when the page is opened is waited for', async () => {
    const { page } = await dashboard.open()
    await signedOut(page)
    await page.route('**/api/auth/session', (route) => route.abort(), { times: 1 })
    await page.reload()
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await signedOut(page)
  })

  t.test('after too many tries the time to wait is counted down', async (t) => {
    const person = await dashboard.newPerson()
    for (let tries = 0; tries < 10; tries++) await dashboard.login(person.email, 'wrong')
    const { page } = await dashboard.open()
    await page.clock.install()
    await enterPassword(page, person)
    const alert = page.getByRole('alert')
    await alert.getByText(/^Too many tries\. You can try again in 1[45]:\d\d\.$/).waitFor()
    t.strictSame(await violations(page), [])
    await page.clock.fastForward('10:00')
    await alert.getByText(/try again in [45]:\d\d\.$/).waitFor()
    await page.clock.fastForward('10:00')
    await alert.getByText('You can try again now.').waitFor()
    t.match(await alert.innerText(), /Too many tries. Try again in 15 minutes./, 'screen readers were told once')
  })

  t.test('looks well', async (t) => {
    await looksWell(t, dashboard, {}, ({ page }) => signedOut(page))
    await looksWell(t, dashboard, { path: '/devices' }, async ({ page }) => {
      await enterPassword(page, {
        email: 'a-person-of-a-very-long-name@subdomain.of-a-hosting-company.example',
        password: 'x',
      })
      await page.getByRole('alert').waitFor()
    })
  })
})
