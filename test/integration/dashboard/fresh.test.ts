// What is delicate, when the sign-in is longer ago than ten minutes.
import { skipWithout } from '@sallyport/core/testing'
import pg from 'pg'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { addAuthenticator } from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { shows } from '../../support/dashboard/shows.js'
import { until } from '../../support/deadline.js'
import { postgresServer, withoutPostgres } from '../../support/real-servers.js'
import type { Person } from '../../support/sign-in-panel.js'
import { previousTotp, totp, wrongTotp } from '../../support/totp.js'

t.test('a fresh sign-in', { skip: withoutPostgres || skipWithout('Chromium', missingChromium()) }, async (t) => {
  const postgres = await postgresServer(t)
  const dashboard = await startDashboard(t, { DATABASE_URL: postgres.url })
  const client = new pg.Client(postgres.url)
  await client.connect()
  t.teardown(() => client.end())

  /** Puts the sign-in of all of a person's sessions back in time. */
  const age = async (person: Person, page: Page) => {
    await client.query(`UPDATE auth_sessions SET authenticated_at = now() - interval '11 minutes' WHERE user_id = $1`, [
      person.id,
    ])
    // What was read before may be known for a second, of each session by itself.
    await until('the age', async () => {
      const answer = await page.context().request.get(`${dashboard.url}/api/auth/2fa/setup`)
      return answer.status() === 403
    })
  }
  const title = 'Confirm that it is you'

  t.test('by the password: then what was wanted is done', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const setUp = page.getByRole('button', { name: 'Set up two-factor authentication' })
    await setUp.waitFor()
    await age(person, page)
    await setUp.click()
    const dialog = page.getByRole('dialog', { name: title })
    await dialog.waitFor()
    await shows(t, () => page.evaluate('document.activeElement.name'), 'password')
    await shows(t, () => dialog.getByRole('button', { name: 'Use a code' }).count(), 0, 'only what one has is offered')
    await shows(t, () => dialog.getByRole('button', { name: 'Use a passkey' }).count(), 0)
    t.strictSame(await violations(page), [])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await shows(t, () => page.getByRole('alert').count(), 0, 'who thinks better of it is told of no error')

    await setUp.click()
    await dialog.getByLabel('Password').fill('not the password')
    await page.keyboard.press('Enter')
    await dialog.getByText('The password is wrong').waitFor()
    await dialog.getByLabel('Password').fill(person.password)
    await page.keyboard.press('Enter')
    await page.getByLabel('Code that the app shows now').waitFor()
    await shows(t, () => page.getByRole('dialog').count(), 1)
  })

  t.test('over another dialog, by a passkey', async () => {
    const person = await dashboard.newPerson()
    const { page, cdp } = await dashboard.open({ as: person, path: '/account' })
    await addAuthenticator(cdp)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('The passkey is added').waitFor()
    await age(person, page)
    await page.getByRole('button', { name: /^Remove / }).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    const dialog = page.getByRole('dialog', { name: title })
    await dialog.getByRole('button', { name: 'Use a passkey' }).click()
    await page.getByText('No passkeys yet').waitFor()
    await page.getByRole('dialog').first().waitFor({ state: 'detached' })
  })

  t.test('by a code, where a password alone is not enough', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await page.getByText('This one').waitFor()
    const { body: setup } = await dashboard.ok('GET', '/api/auth/2fa/setup', { bearer: person.token })
    const body = { token: await previousTotp(setup.secret) }
    await dashboard.ok('POST', '/api/auth/2fa/verify', { bearer: person.token, body })
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    const dialog = page.getByRole('dialog', { name: title })
    const code = dialog.getByLabel('Code of your authenticator app')
    await code.fill('12')
    await page.keyboard.press('Enter')
    await dialog.getByText('A code has six digits').waitFor()
    await code.fill(wrongTotp(setup.secret))
    await page.keyboard.press('Enter')
    await dialog.getByText('The code is wrong or has been used').waitFor()
    t.strictSame(await violations(page), [])
    await shows(t, () => dialog.getByRole('button', { name: 'Use the password' }).count(), 0)
    await code.fill(totp(setup.secret))
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
  })

  t.test('too many tries, and no network', async () => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await page.getByText('This one').waitFor()
    await age(person, page)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    const dialog = page.getByRole('dialog', { name: title })
    await dialog.getByLabel('Password').fill('not the password')
    await page.route('**/api/auth/reauthenticate', (route) => route.abort(), { times: 1 })
    await page.keyboard.press('Enter')
    await dialog.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    for (let tries = 0; tries < 10; tries++) await dashboard.login(person.email, 'wrong')
    await page.keyboard.press('Enter')
    await dialog
      .getByRole('alert')
      .getByText(/You can try again in 1[45]:\d\d/)
      .waitFor()
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: person, path: '/account' }, async ({ page }) => {
      await page.getByText('This one').waitFor()
      await age(person, page)
      await page.getByRole('button', { name: 'Add a passkey' }).click()
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('dialog', { name: title }).waitFor()
    })
  })
})
