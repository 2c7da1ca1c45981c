import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { signedIn } from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { shows } from '../../support/dashboard/shows.js'
import { mailSink } from '../../support/mail-sink.js'

t.test('the account', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const sink = await mailSink(t)
  const dashboard = await startDashboard(t, { SMTP_URL: sink.url })
  const newPassword = 'a new password that is hers'

  t.test('name and e-mail', async (t) => {
    const person = await dashboard.newPerson()
    const name = 'Maximiliane \u202Ede <b>Hohenlohe</b>'
    await dashboard.ok('PATCH', `/api/users/${person.id}`, { bearer: dashboard.admin.token, body: { name: 'محمد' } })
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await page.getByRole('definition').filter({ hasText: person.email }).waitFor()
    await page.getByRole('definition').filter({ hasText: 'محمد' }).waitFor()
    await shows(t, () => page.title(), 'Account and security · Sallyport')
    await dashboard.ok('PATCH', `/api/users/${person.id}`, { bearer: dashboard.admin.token, body: { name } })
    await page.reload()
    await page.getByRole('definition').filter({ hasText: '<b>Hohenlohe</b>' }).waitFor()
  })

  t.test('a new password ends the other sessions, and not this one', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await page.getByRole('button', { name: 'End all others' }).waitFor()
    await page.getByRole('button', { name: 'Change password' }).click()
    const dialog = page.getByRole('dialog', { name: 'Change password' })
    await dialog.getByText('All your other sessions end').waitFor()
    await shows(t, () => page.evaluate('document.activeElement.name'), 'currentPassword')

    await dialog.getByLabel('Current password').fill('not the password')
    await dialog.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.keyboard.press('Enter')
    await dialog.getByText('The current password is wrong').waitFor()
    await shows(t, () => page.evaluate('document.activeElement.name'), 'currentPassword', 'the field that is wrong')
    t.strictSame(await violations(page), [])

    await dialog.getByLabel('Current password').fill(person.password)
    await dialog.getByLabel('New password', { exact: true }).fill('short')
    await page.keyboard.press('Enter')
    await dialog.getByText('Must have 8 to 256 characters').waitFor()

    await dialog.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.keyboard.press('Enter')
    await page.getByText('Your password is changed. Other sessions have ended.').waitFor()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'End all others' }).waitFor({ state: 'detached' })
    t.equal((await dashboard.send('GET', '/api/auth/session', { bearer: person.token })).status, 401)
    t.equal((await dashboard.login(person.email, newPassword)).status, 200)
    await sink.take(person.email, /was changed/)
    await page.reload()
    await signedIn(page)
  })

  t.test('too many wrong passwords, and no network', async () => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByLabel('Current password').fill('wrong')
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.route('**/api/auth/password', (route) => route.abort(), { times: 1 })
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    for (let tries = 0; tries < 10; tries++) await dashboard.login(person.email, 'wrong')
    await page.keyboard.press('Enter')
    await page
      .getByRole('alert')
      .getByText(/You can try again in 1[45]:\d\d/)
      .waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await signedIn(page)
  })

  t.test('what cannot be read is said in its place, and read again', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person })
    for (const path of ['2fa', 'passkeys', 'sessions']) {
      await page.route(`**/api/auth/${path}`, (route) => route.abort(), { times: 1 })
    }
    await page.goto(`${dashboard.url}/account`)
    await page.getByRole('alert').nth(2).waitFor()
    t.strictSame(await violations(page), [])
    for (let left = 3; left > 0; left--) {
      await page.getByRole('button', { name: 'Try again' }).first().click()
      await page
        .getByRole('alert')
        .nth(left - 1)
        .waitFor({ state: 'detached' })
    }
    await page.getByText('No passkeys yet').waitFor()
  })

  t.test('what the panel does not have is not offered', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person })
    const problem = { type: 'about:blank', title: 'x', status: 404, detail: 'x', error: 'not_found', requestId: 'x' }
    for (const path of ['2fa', 'passkeys']) {
      await page.route(`**/api/auth/${path}`, (route) =>
        route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
      )
    }
    await page.goto(`${dashboard.url}/account`)
    await page.getByText('This one').waitFor()
    await shows(t, () => page.getByRole('heading', { level: 2 }).allInnerTexts(), ['Profile', 'Sessions'])
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: person, path: '/account' }, async ({ page }) => {
      await page.getByText('No passkeys yet').waitFor()
      await page.getByText('This one').waitFor()
      t.strictSame(await violations(page), [])
      await page.getByRole('button', { name: 'Change password' }).click()
      await page.getByRole('dialog').waitFor()
    })
  })
})
