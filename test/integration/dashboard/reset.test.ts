import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { enterPassword, signedIn, signedOut } from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { forgets, shows } from '../../support/dashboard/shows.js'
import { linkToken, mailSink, resetLink } from '../../support/mail-sink.js'
import type { Person } from '../../support/sign-in-panel.js'

t.test('a forgotten password', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const sink = await mailSink(t)
  const dashboard = await startDashboard(t, { SMTP_URL: sink.url })

  /** The path of a link that a person has been sent. */
  const newLink = async ({ email }: Person): Promise<string> => {
    await dashboard.ok('POST', '/api/auth/password-reset/request', { body: { email } })
    return `/reset-password#token=${linkToken(await sink.take(email, resetLink))}`
  }
  const newPassword = 'a new password that is hers'

  t.test('from the sign-in to a new password', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ path: '/devices' })
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByRole('button', { name: 'Forgotten the password?' }).click()
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByText(`If there is an account of ${person.email}, a link is on its way.`).waitFor()
    const [link = ''] = resetLink.exec((await sink.take(person.email, resetLink)).text) ?? []

    await page.goto(dashboard.url + link)
    await page.getByLabel('New password', { exact: true }).waitFor()
    t.equal(page.url(), `${dashboard.url}/reset-password`, 'the token is out of the address')
    await forgets(t, page, link.split('=')[1] ?? link)
    await page.goBack()
    await page.goForward()
    t.notMatch(page.url(), /token/, 'nor in the history')

    await page.goto(dashboard.url + (await newLink(person)))
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.getByRole('button', { name: 'Show the new password' }).click()
    await shows(t, () => page.getByLabel('New password', { exact: true }).getAttribute('type'), 'text')
    await shows(t, () => page.getByLabel('New password', { exact: true }).inputValue(), newPassword)
    await page.getByRole('button', { name: 'Hide the new password' }).click()
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByText('Your password is changed, and you are signed out everywhere.').waitFor()
    t.equal((await dashboard.send('GET', '/api/auth/session', { bearer: person.token })).status, 401)
    await page.getByRole('button', { name: 'Go to the sign-in' }).click()
    await signedOut(page)
    await enterPassword(page, { ...person, password: newPassword })
    await signedIn(page)
  })

  t.test('who is signed in opens the link all the same, and is signed out by it', async () => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: await newLink(person) })
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Go to the sign-in' }).click()
    await signedOut(page)
  })

  t.test('the answer is the same for who has no account', async () => {
    const { page } = await dashboard.open()
    await page.getByRole('button', { name: 'Forgotten the password?' }).click()
    await page.getByLabel('E-mail').fill('nobody@example.com')
    await page.keyboard.press('Enter')
    await page.getByText('If there is an account of nobody@example.com, a link is on its way.').waitFor()
    await page.getByRole('button', { name: 'Try another address' }).click()
    await page.getByLabel('E-mail').waitFor()
    await page.getByRole('button', { name: 'Back to the sign-in' }).click()
    await signedOut(page)
  })

  t.test('a weak password is refused in the words of the panel, and the link still works', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ path: await newLink(person) })
    await page.getByLabel('New password', { exact: true }).fill('short')
    await page.keyboard.press('Enter')
    await page.getByText('Must have 8 to 256 characters').waitFor()
    t.strictSame(await violations(page), [])
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.keyboard.press('Enter')
    await page.getByText('Your password is changed').waitFor()
  })

  t.test('a link that is used says so, and another is had', async (t) => {
    const person = await dashboard.newPerson()
    const path = await newLink(person)
    const { page } = await dashboard.open({ path })
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.keyboard.press('Enter')
    await page.getByText('Your password is changed').waitFor()

    // In the same tab: only the fragment changes.
    await page.goto(dashboard.url + path)
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'This link no longer works' }).waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Ask for another link' }).click()
    await page.getByLabel('E-mail').fill(person.email)
    await page.keyboard.press('Enter')
    const [link = ''] = resetLink.exec((await sink.take(person.email, resetLink)).text) ?? []
    await page.goto(dashboard.url + link)
    await page.getByLabel('New password', { exact: true }).waitFor()
  })

  t.test('an address without a token', async (t) => {
    const { page } = await dashboard.open({ path: '/reset-password' })
    await page.getByRole('alert').filter({ hasText: 'This link is not complete' }).waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Go to the sign-in' }).click()
    await signedOut(page)
    t.equal(new URL(page.url()).pathname, '/')
  })

  t.test('too many requests, and no network', async () => {
    const { page } = await dashboard.open()
    await page.getByRole('button', { name: 'Forgotten the password?' }).click()
    await page.getByLabel('E-mail').fill('too.often@example.com')
    await page.route('**/password-reset/request', (route) => route.abort(), { times: 1 })
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    for (let tries = 0; tries < 5; tries++) {
      await dashboard.ok('POST', '/api/auth/password-reset/request', { body: { email: 'too.often@example.com' } })
    }
    await page.keyboard.press('Enter')
    await page
      .getByRole('alert')
      .getByText(/You can try again in \d\d:\d\d/)
      .waitFor()
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { path: '/reset-password#token=any' }, ({ page }) =>
      page.getByLabel('New password', { exact: true }).waitFor(),
    )
    await looksWell(t, dashboard, {}, async ({ page }) => {
      await page.getByRole('button', { name: 'Forgotten the password?' }).click()
      await page.getByRole('button', { name: 'Send the link' }).waitFor()
      t.strictSame(await violations(page), [])
      await page.getByLabel('E-mail').fill(person.email)
      await page.keyboard.press('Enter')
      await page.getByText('on its way').waitFor()
    })
  })
})
