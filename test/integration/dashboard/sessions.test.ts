import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { signedOut } from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { shows } from '../../support/dashboard/shows.js'

const userAgents: Readonly<Record<string, string>> = {
  'Firefox on Windows': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0',
  'Safari on iPhone':
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Edge on Windows':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0',
  'Samsung Internet on Android':
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
  'Safari on macOS':
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'Chrome on ChromeOS':
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  curl: 'curl/8.14.1',
  Unknown: '<script>alert(1)</script>',
}

t.test('sessions', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t)

  t.test('browser and system are said in words, and this one is marked', async (t) => {
    const person = await dashboard.newPerson()
    for (const userAgent of Object.values(userAgents)) {
      const body = { email: person.email, password: person.password }
      await dashboard.ok('POST', '/api/auth/login', { body, ip: '2001:db8::7', headers: { 'user-agent': userAgent } })
    }
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const rows = page.getByRole('table', { name: 'Sessions' }).getByRole('row')
    await rows.nth(1).waitFor()
    await shows(t, () => rows.nth(1).innerText(), /Chrome on Linux.*This one.*by password/s, 'this one is the first')
    await shows(t, () => rows.nth(1).getByRole('button').count(), 0, 'it is ended by signing out')
    await shows(t, () => rows.nth(2).innerText(), /2001:db8::7/)
    const browsers = await rows.locator('td:first-child').allInnerTexts()
    for (const words of Object.keys(userAgents)) t.ok(browsers.includes(words), words)
    t.strictSame(await violations(page), [])
  })

  t.test('one is ended, then all others', async (t) => {
    const person = await dashboard.newPerson()
    const others = [await dashboard.newSession(person), await dashboard.newSession(person)]
    const phone = await dashboard.open({ as: person, width: 390 })
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const ends = page.getByRole('button', { name: /^End the session of / })
    await ends.nth(3).waitFor()
    await ends.last().click()
    await page.getByText('The session has ended.').waitFor()
    await ends.nth(3).waitFor({ state: 'detached' })
    t.equal(await ends.count(), 3)

    await page.getByRole('button', { name: 'End all others' }).click()
    const dialog = page.getByRole('dialog', { name: 'End all other sessions' })
    await dialog.getByText('3 sessions end at once').waitFor()
    t.strictSame(await violations(page), [])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await shows(t, () => page.evaluate('document.activeElement.innerText'), 'End all others', 'the focus is back')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'End them' }).click()
    await page.getByText('3 sessions have ended.').waitFor()
    await ends.first().waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'End all others' }).waitFor({ state: 'detached' })
    for (const bearer of [person.token, ...others]) {
      t.equal((await dashboard.send('GET', '/api/auth/session', { bearer })).status, 401)
    }
    await signedOut(phone.page)
  })

  t.test('one that has ended in the meantime', async () => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const end = page.getByRole('button', { name: /^End the session of / })
    await end.waitFor()
    await dashboard.ok('POST', '/api/auth/logout', { bearer: person.token })
    await end.click()
    await end.waitFor({ state: 'detached' })
  })

  t.test('many are shown some at a time', async (t) => {
    const person = await dashboard.newPerson()
    for (let more = 0; more < 24; more++) await dashboard.newSession(person)
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const rows = page.getByRole('table', { name: 'Sessions' }).getByRole('row')
    await page.getByRole('button', { name: 'Show 6 more' }).click()
    await page.getByRole('button', { name: 'Show 6 more' }).waitFor({ state: 'detached' })
    await shows(t, () => rows.count(), 1 + 26)
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: person, path: '/account' }, async ({ page }) => {
      await page.getByRole('button', { name: 'End all others' }).click()
      await page.getByRole('dialog').waitFor()
    })
  })
})
