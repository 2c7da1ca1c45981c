import { skipWithout } from '@sallyport/core/testing'
import type { CDPSession, Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import {
  addAuthenticator,
  enterPassword,
  signedIn,
  signedOut,
  withoutAutofill,
} from '../../support/dashboard/entrance.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { drawn, shows } from '../../support/dashboard/shows.js'
import { softwarePasskey } from '../../support/software-passkey.js'

const passkeyButton = 'Sign in with a passkey'

/** Adds a passkey on the account's page. */
async function add(page: Page, name?: string): Promise<void> {
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  if (name !== undefined) await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('button', { name: 'Continue' }).click()
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click()
}

/** Whether the authenticator's owner touches it when it asks. */
async function setPresent(cdp: CDPSession, authenticatorId: string, enabled: boolean): Promise<void> {
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })
}

t.test('passkeys', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t)

  t.test('added, then used by the button', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account', authenticator: true })
    await withoutAutofill(page)
    await page.getByText('No passkeys yet').waitFor()
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await shows(
      t,
      () => page.getByRole('textbox', { name: 'Name' }).inputValue(),
      'Chrome on Linux',
      'a name is proposed',
    )
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('The passkey is added.').waitFor()
    const row = page.getByRole('table', { name: 'Passkeys' }).getByRole('row').nth(1)
    await shows(t, () => row.innerText(), /Chrome on Linux.*just now.*never.*On one device/s)

    await signOut(page)
    await signedOut(page)
    await page.getByRole('button', { name: passkeyButton }).click()
    await page.getByRole('heading', { name: 'Account and security' }).waitFor()
    await shows(t, async () => /never/.test(await row.innerText()), false, 'it has been used')
    await shows(t, () => page.getByRole('table', { name: 'Sessions' }).innerText(), /by passkey/)
  })

  t.test('by what the browser offers at the e-mail’s field', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account', authenticator: true })
    await add(page)
    await page.getByText('The passkey is added.').waitFor()
    const signIn = page.waitForResponse('**/api/auth/passkey/authenticate')
    await signOut(page)
    t.equal((await signIn).status(), 200)
    await page.getByRole('heading', { name: 'Account and security' }).waitFor()
  })

  t.test('a challenge that ends is followed by another, and nobody is told of an error', async (t) => {
    const person = await dashboard.newPerson()
    const { page, cdp } = await dashboard.open({ as: person, path: '/account' })
    const authenticatorId = await addAuthenticator(cdp)
    await page.clock.install()
    await add(page)
    await page.getByText('The passkey is added.').waitFor()
    await setPresent(cdp, authenticatorId, false)
    // The time of a challenge begins just before the browser is asked.
    await page.evaluate(() => {
      const { credentials } = navigator
      const get = credentials.get.bind(credentials)
      credentials.get = (asked) => {
        Object.assign(globalThis, { asked: true })
        return get(asked)
      }
    })
    const challenge = () => page.waitForResponse('**/api/auth/passkey/authenticate-challenge')
    const [first] = await Promise.all([challenge(), signOut(page)])
    await signedOut(page)
    await page.getByLabel('E-mail').fill('somebody who takes their time')
    await shows(t, () => page.evaluate('globalThis.asked'), true, 'the challenge’s time runs')
    await setPresent(cdp, authenticatorId, true)
    const [second] = await Promise.all([challenge(), page.clock.fastForward('04:30')])
    t.not((await second.json()).challenge, (await first.json()).challenge)
    await page.getByRole('heading', { name: 'Account and security' }).waitFor()
  })

  t.test('who signs in by password is not held up by it', async (t) => {
    const person = await dashboard.newPerson()
    const { page, cdp } = await dashboard.open()
    await addAuthenticator(cdp, { automaticPresenceSimulation: false })
    await page.reload()
    await signedOut(page)
    await enterPassword(page, { ...person, password: 'wrong' })
    await page.getByRole('alert').waitFor()
    // It is offered again after a password that was wrong: after this one, and after the next.
    await drawn(page)
    await Promise.all([
      page.waitForRequest('**/authenticate-challenge'),
      enterPassword(page, { ...person, password: 'no' }),
    ])
    await enterPassword(page, person)
    await signedIn(page)
    await shows(t, () => page.getByRole('alert').count(), 0)
  })

  t.test('one that has been removed, one of a suspended user, and none at all', async (t) => {
    const person = await dashboard.newPerson()
    const { page, cdp } = await dashboard.open({ as: person, path: '/account' })
    await withoutAutofill(page)
    const authenticatorId = await addAuthenticator(cdp)
    await add(page)
    await page.getByText('The passkey is added.').waitFor()
    await signOut(page)
    await signedOut(page)
    const user = `/api/users/${person.id}`
    await dashboard.ok('PATCH', user, { bearer: dashboard.admin.token, body: { suspended: true } })
    await page.getByRole('button', { name: passkeyButton }).click()
    await page.getByRole('alert').filter({ hasText: 'The passkey was not accepted' }).waitFor()
    t.strictSame(await violations(page), [])
    await dashboard.ok('PATCH', user, { bearer: dashboard.admin.token, body: { suspended: false } })
    await page.getByRole('button', { name: passkeyButton }).click()
    await signedIn(page)

    await page.goto(`${dashboard.url}/account`)
    await page.getByRole('button', { name: 'Remove Chrome on Linux' }).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByText('No passkeys yet').waitFor()
    const autofill = page.waitForResponse('**/passkey/authenticate-challenge')
    await signOut(page)
    await signedOut(page)
    await autofill
    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
    await addAuthenticator(cdp, { hasUserVerification: false, isUserVerified: false })
    await page.route('**/passkey/authenticate-challenge', (route) => route.abort(), { times: 1 })
    await page.getByRole('button', { name: passkeyButton }).click()
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    await page.getByRole('button', { name: passkeyButton }).click()
    await page.getByRole('alert').filter({ hasText: 'No passkey was used' }).waitFor()
  })

  t.test('a panel or a browser without them offers none', async (t) => {
    const { page } = await dashboard.open()
    await page.getByRole('button', { name: passkeyButton }).waitFor()
    const problem = { type: 'about:blank', title: 'x', status: 404, detail: 'x', error: 'not_found', requestId: 'x' }
    await page.route('**/passkey/authenticate-challenge', (route) =>
      route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
    )
    await page.reload()
    await signedOut(page)
    await page.getByRole('button', { name: passkeyButton }).waitFor({ state: 'detached' })
    await shows(t, () => page.getByRole('button', { name: 'Sign in', exact: true }).count(), 1)

    const old = await dashboard.open({ as: await dashboard.newPerson(), path: '/account' })
    await old.page.addInitScript('delete globalThis.PublicKeyCredential')
    await old.page.reload()
    await old.page.getByText('This browser has no passkeys.').waitFor()
    await shows(t, () => old.page.getByRole('button', { name: 'Add a passkey' }).count(), 0)
  })

  t.test('a second one on the same device, a cancelled one, one that is synced', async (t) => {
    const person = await dashboard.newPerson()
    const { page, cdp } = await dashboard.open({ as: person, path: '/account' })
    const authenticatorId = await addAuthenticator(cdp)
    await add(page)
    await page.getByText('The passkey is added.').waitFor()
    await add(page)
    await page.getByRole('alert').filter({ hasText: 'This device has a passkey for your account already.' }).waitFor()
    t.strictSame(await violations(page), [])
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })

    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
    const unverified = await addAuthenticator(cdp, { isUserVerified: false })
    await add(page)
    await page.getByRole('alert').filter({ hasText: 'No passkey was made' }).waitFor()
    await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: unverified })
    await addAuthenticator(cdp, { defaultBackupEligibility: true, defaultBackupState: true })
    await page.getByRole('textbox', { name: 'Name' }).fill('The password manager')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('row', { name: /The password manager.*Synced/ }).waitFor()
  })

  t.test('renamed, and removed with a warning for the last one', async (t) => {
    const person = await dashboard.newPerson()
    for (const name of ['Laptop', 'Key']) {
      const { body } = await dashboard.ok('POST', '/api/auth/passkey/register-challenge', {
        bearer: person.token,
        body: {},
      })
      const response = softwarePasskey(dashboard.origin).create(body)
      await dashboard.ok('POST', '/api/auth/passkey/register', { bearer: person.token, body: { response, name } })
    }
    const { page } = await dashboard.open({ as: person, path: '/account' })
    await page.getByRole('button', { name: 'Rename Laptop' }).click()
    await shows(t, () => page.getByRole('textbox', { name: 'Name' }).inputValue(), 'Laptop')
    const name = 'מפתח של <i>האחות</i> with a very long name that goes on and on and on and on'
    await page.getByRole('textbox', { name: 'Name' }).fill(name)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: `Rename ${name}` }).waitFor()

    const warning = page.getByText('It is your only passkey.')
    await page.getByRole('button', { name: `Remove ${name}` }).click()
    await page.getByRole('dialog').getByText(name).waitFor()
    t.equal(await warning.count(), 0)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: `Remove ${name}` }).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByRole('button', { name: `Rename ${name}` }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Remove Key' }).click()
    await warning.waitFor()
    t.strictSame(await violations(page), [])

    // Removed elsewhere while one thinks about it.
    const { body } = await dashboard.ok('GET', '/api/auth/passkeys', { bearer: person.token })
    await dashboard.ok('DELETE', `/api/auth/passkeys/${body.passkeys[0].id}`, { bearer: person.token })
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByText('No passkeys yet').waitFor()
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newPerson()
    const { body } = await dashboard.ok('POST', '/api/auth/passkey/register-challenge', {
      bearer: person.token,
      body: {},
    })
    const response = softwarePasskey(dashboard.origin).create(body)
    const name = 'A name without end '.repeat(10).trim()
    await dashboard.ok('POST', '/api/auth/passkey/register', { bearer: person.token, body: { response, name } })
    await looksWell(t, dashboard, { as: person, path: '/account' }, async ({ page }) => {
      await page.getByRole('button', { name: /^Rename/ }).waitFor()
      t.strictSame(await violations(page), [])
      await page.getByRole('button', { name: /^Remove/ }).click()
      await page.getByRole('dialog').waitFor()
    })
  })
})
