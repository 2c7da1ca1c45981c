import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { enterPassword, signedIn, signedOut } from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { shows } from '../../support/dashboard/shows.js'
import { mailedCode, mailSink } from '../../support/mail-sink.js'
import { totp, wrongTotp } from '../../support/totp.js'

t.test('the second factor', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const sink = await mailSink(t)
  const dashboard = await startDashboard(t, { SMTP_URL: sink.url })
  const authenticatorCode = 'Code of your authenticator app'

  t.test('a code of the authenticator app, as it is typed and pasted', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open({ path: '/keys' })
    await enterPassword(page, person)
    const field = page.getByLabel(authenticatorCode)
    await field.waitFor()
    t.equal(await field.getAttribute('autocomplete'), 'one-time-code')
    t.equal(await field.getAttribute('inputmode'), 'numeric')
    await shows(t, () => page.evaluate('document.activeElement.name'), 'token', 'one can type at once')

    await page.keyboard.type('12345')
    await page.keyboard.press('Enter')
    await page.getByText('A code has six digits').waitFor()
    await field.fill(wrongTotp(person.secret))
    await page.keyboard.press('Enter')
    await page.getByText('The code is wrong or has been used: wait for the next one').waitFor()
    t.equal(await field.getAttribute('aria-invalid'), 'true')
    t.strictSame(await violations(page), [])

    await field.fill(` ${totp(person.secret).replace(/^.../, '$& ')} `)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor()
  })

  t.test('a code by mail', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open()
    await page.clock.install()
    await enterPassword(page, person)
    await page.getByRole('button', { name: 'Use a code by e-mail' }).click()
    await page.getByText(`The code goes to ${person.email}`).waitFor()
    await shows(t, () => page.getByRole('textbox').count(), 0, 'nothing to type before it is sent')
    await page.getByRole('button', { name: 'Send a code' }).click()
    await page.getByText(/A code is on its way/).waitFor()
    const first = mailedCode(await sink.take(person.email, /\d{6}/))
    await shows(t, () => page.evaluate('document.activeElement.name'), 'emailCode')

    const another = page.getByRole('button', { name: 'Send another' })
    await shows(t, () => another.isDisabled(), true, 'not at once')
    t.match(await another.innerText(), /\((30|2\d) s\)/)
    await page.clock.fastForward(31_000)
    await another.click()
    await page.getByText(/Another code is on its way .*earlier ones have ended/).waitFor()
    const second = mailedCode(await sink.take(person.email, /\d{6}/))

    await page.getByLabel('Code from the e-mail').fill(first === second ? '000000' : first)
    await page.keyboard.press('Enter')
    await page.getByText('The code is wrong or has ended').waitFor()
    await page.getByLabel('Code from the e-mail').fill(second)
    await page.keyboard.press('Enter')
    await signedIn(page)
  })

  t.test('after three mails the panel has one wait', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open()
    await page.clock.install()
    await enterPassword(page, person)
    await page.getByRole('button', { name: 'Use a code by e-mail' }).click()
    await page.getByRole('button', { name: 'Send a code' }).click()
    for (let more = 0; more < 3; more++) {
      // Each mail has a wait of its own.
      await page.getByText(/\(\d+ s\)/).waitFor()
      await page.clock.fastForward(31_000)
      await page.getByRole('button', { name: 'Send another' }).click()
    }
    await page
      .getByRole('alert')
      .getByText(/You can try again in \d:\d\d/)
      .waitFor()
    t.strictSame(await violations(page), [])
  })

  t.test('a recovery code, once; what is left is said', async () => {
    const person = await dashboard.newTwoFactorPerson()
    const [code = ''] = person.recoveryCodes
    const { page } = await dashboard.open()
    const enter = async () => {
      await enterPassword(page, person)
      await page.getByRole('button', { name: 'Use a recovery code' }).click()
      await page.getByLabel('Recovery code').fill(code.toLowerCase().replaceAll('-', ' '))
      await page.keyboard.press('Enter')
    }
    await enter()
    await signedIn(page)
    await page.getByText('That recovery code is used up. 9 codes left.').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signedOut(page)
    await enter()
    await page.getByText('The recovery code is wrong or has been used').waitFor()
  })

  t.test('one starts over as somebody else', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    const other = await dashboard.newPerson()
    const { page } = await dashboard.open()
    await enterPassword(page, person)
    await page.getByLabel(authenticatorCode).waitFor()
    await page.getByRole('button', { name: 'Start over' }).click()
    await shows(t, () => page.getByLabel('E-mail').inputValue(), person.email)
    await shows(t, () => page.getByLabel('Password', { exact: true }).inputValue(), '')
    await enterPassword(page, other)
    await signedIn(page)
  })

  t.test('a sign-in that has ended leads back to the password, with a word', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open()
    await enterPassword(page, person)
    await page.getByLabel(authenticatorCode).waitFor()
    // A new password ends it, as five minutes do.
    const body = { currentPassword: person.password, newPassword: 'another password of hers' }
    await dashboard.ok('POST', '/api/auth/password', { bearer: person.token, body })
    await page.getByLabel(authenticatorCode).fill(totp(person.secret))
    await page.keyboard.press('Enter')
    await page.getByRole('status').filter({ hasText: 'That sign-in has ended' }).waitFor()
    await shows(t, () => page.getByLabel('E-mail').inputValue(), person.email)
    t.strictSame(await violations(page), [])
    await enterPassword(page, { ...person, password: body.newPassword })
    await page.getByRole('button', { name: 'Use a code by e-mail' }).click()
    await dashboard.ok('PATCH', `/api/users/${person.id}`, { bearer: dashboard.admin.token, body: { suspended: true } })
    await page.getByRole('button', { name: 'Send a code' }).click()
    await page.getByRole('status').filter({ hasText: 'That sign-in has ended' }).waitFor()
  })

  t.test('too many wrong codes', async () => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open()
    await enterPassword(page, person)
    for (let tries = 0; tries < 6; tries++) {
      const answer = page.waitForResponse('**/verify-login')
      await page.getByLabel(authenticatorCode).fill(wrongTotp(person.secret))
      await page.keyboard.press('Enter')
      await answer
      // While one is sent, no other is.
      await page.locator('form [type=submit][aria-disabled]').waitFor({ state: 'detached' })
    }
    await page
      .getByRole('alert')
      .getByText(/try again in 1[45]:\d\d/)
      .waitFor()
  })

  t.test('without a network', async () => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open()
    await enterPassword(page, person)
    await page.getByLabel(authenticatorCode).waitFor()
    await page.route('**/verify-login', (route) => route.abort(), { times: 1 })
    await page.getByLabel(authenticatorCode).fill(totp(person.secret))
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    await page.keyboard.press('Enter')
    await signedIn(page)
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    for (const way of ['Use a code by e-mail', 'Use a recovery code']) {
      await looksWell(t, dashboard, {}, async ({ page }) => {
        await enterPassword(page, person)
        await page.getByLabel(authenticatorCode).waitFor()
        t.strictSame(await violations(page), [])
        await page.getByRole('button', { name: way }).click()
        await page.getByRole('button', { name: 'Use the authenticator app' }).waitFor()
      })
    }
  })
})
