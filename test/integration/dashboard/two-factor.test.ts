import { readFile } from 'node:fs/promises'
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { forgets, shows } from '../../support/dashboard/shows.js'
import type { Person } from '../../support/sign-in-panel.js'
import { previousTotp, totp, wrongTotp } from '../../support/totp.js'

/** To type a code and send it. */
const typingMs = 10_000

const keyLabel = 'Key for the authenticator app'
const codePattern = /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/

/** Begins a set-up and reads the secret. */
async function beginSetUp(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Set up two-factor authentication' }).click()
  return (await page.getByRole('region', { name: keyLabel, exact: true }).innerText()).trim()
}

function shownCodes(page: Page): Promise<string[]> {
  return page.getByRole('dialog').getByRole('listitem').allInnerTexts()
}

t.test('two-factor authentication', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t)

  t.test('set up, with the codes copied, saved and printed', async (t) => {
    const person = await dashboard.newPerson()
    const { page, context } = await dashboard.open({ as: person, path: '/account' })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const secret = await beginSetUp(page)
    t.match(secret, /^[A-Z2-7]{32}$/)
    await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor()
    const url = await page.getByRole('link', { name: 'Open the app' }).getAttribute('href')
    t.equal(new URL(url ?? '').searchParams.get('secret'), secret)
    await page.getByRole('button', { name: `Copy: ${keyLabel}` }).click()
    await shows(t, () => page.evaluate('navigator.clipboard.readText()'), secret)
    t.strictSame(await violations(page), [])

    const code = page.getByLabel('Code that the app shows now')
    await code.fill('123')
    await page.keyboard.press('Enter')
    await page.getByText('A code has six digits').waitFor()
    await code.fill(wrongTotp(secret))
    await page.keyboard.press('Enter')
    await page.getByText(/^The code is wrong/).waitFor()
    await code.fill((await previousTotp(secret, typingMs)).replace(/^.../, '$& '))
    await page.keyboard.press('Enter')

    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    const codes = await shownCodes(page)
    t.equal(codes.length, 10)
    for (const one of codes) t.match(one, codePattern)
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Copy the recovery codes' }).click()
    await shows(t, () => page.evaluate('navigator.clipboard.readText()'), codes.join('\n'))

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ])
    t.equal(download.suggestedFilename(), 'recovery-codes-localhost.txt')
    const saved = await readFile((await download.path()) ?? '', 'utf8')
    t.ok(saved.includes(person.email) && saved.includes(dashboard.url), 'whose they are, and where')
    for (const one of codes) t.ok(saved.includes(`\r\n${one}\r\n`))

    await page.evaluate('window.print = () => { window.printed = true }')
    await page.getByRole('button', { name: 'Print' }).click()
    await shows(t, () => page.evaluate('window.printed'), true)
    await page.emulateMedia({ media: 'print' })
    const paper = await page.locator('body').innerText()
    for (const one of codes) t.ok(paper.includes(one))
    t.ok(paper.includes(person.email) && paper.includes(dashboard.url))
    t.notMatch(paper, /Sign out|Profile|Done/, 'nothing else of the page is printed')
    await page.emulateMedia({ media: 'screen' })

    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Done' }).click()
    t.same(await shownCodes(page), codes, 'not closed before one has said that they are kept')
    await page.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByText('10 recovery codes left').waitFor()
    await forgets(t, page, codes[0] ?? '')
    const { body } = await dashboard.login(person.email, person.password)
    t.equal(body.twoFactorRequired, true)
  })

  t.test('a set-up that is left changes nothing', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const first = await beginSetUp(page)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    t.not(await beginSetUp(page), first)
    await page.getByRole('button', { name: 'Cancel' }).click()
    t.ok((await dashboard.login(person.email, person.password)).body.token)
  })

  t.test('a set-up that was finished elsewhere, and no network', async () => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const secret = await beginSetUp(page)
    await page.getByLabel('Code that the app shows now').fill(await previousTotp(secret, typingMs))
    await page.route('**/api/auth/2fa/verify', (route) => route.abort(), { times: 1 })
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    const body = { token: await previousTotp(secret) }
    await dashboard.ok('POST', '/api/auth/2fa/verify', { bearer: person.token, body })
    await page.keyboard.press('Enter')
    // The session is one of a password alone: with the second factor on that is no longer enough.
    await page.getByRole('dialog', { name: 'Confirm that it is you' }).getByLabel('Code of your').fill(totp(secret))
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('alert').filter({ hasText: 'This took more than 15 minutes' }).waitFor()
  })

  /** Somebody whose second factor is on, with the dashboard open on the account's page. */
  const openWithSecondFactor = async (): Promise<{ page: Page; person: Person; secret: string }> => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person, path: '/account' })
    const secret = await beginSetUp(page)
    await page.getByLabel('Code that the app shows now').fill(await previousTotp(secret, typingMs))
    await page.keyboard.press('Enter')
    await page.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('10 recovery codes left').waitFor()
    return { page, person, secret }
  }

  t.test('new recovery codes end the earlier ones', async (t) => {
    const { page, secret } = await openWithSecondFactor()
    await page.getByRole('button', { name: 'New recovery codes' }).click()
    const code = page.getByLabel('Code of your authenticator app')
    await page.getByText('All that you have now stop working').waitFor()
    t.strictSame(await violations(page), [])
    await code.fill(wrongTotp(secret))
    await page.keyboard.press('Enter')
    await page.getByText('The code is wrong or has been used').waitFor()
    await code.fill(totp(secret))
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    t.equal((await shownCodes(page)).length, 10)
    await page.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  t.test('few that are left are warned of', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    for (const backupCode of person.recoveryCodes.slice(0, 7)) {
      const tempToken = await dashboard.tempToken(person)
      await dashboard.ok('POST', '/api/auth/2fa/verify-login', { body: { tempToken, backupCode } })
    }
    const { page, context } = await dashboard.open()
    await context.addCookies([{ name: 'session', value: person.token, url: dashboard.url }])
    await page.goto(`${dashboard.url}/account`)
    await page.getByText('Only 3 recovery codes left. Make new ones').waitFor()
    t.strictSame(await violations(page), [])
  })

  t.test('moving to another app', async (t) => {
    const { page, person, secret } = await openWithSecondFactor()
    await page.getByRole('button', { name: 'Move to another app' }).click()
    await page.getByText('The app that you use now ends').waitFor()
    const moved = (await page.getByRole('region', { name: keyLabel, exact: true }).innerText()).trim()
    t.not(moved, secret)
    await page.getByLabel('Code that the app shows now').fill(await previousTotp(moved, typingMs))
    await page.getByRole('button', { name: 'Move', exact: true }).click()
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    const tempToken = await dashboard.tempToken(person)
    await dashboard.ok('POST', '/api/auth/2fa/verify-login', { body: { tempToken, token: totp(moved) } })
  })

  t.test('turned off with a code of the app, and with a recovery code', async (t) => {
    const { page, person, secret } = await openWithSecondFactor()
    const code = page.getByLabel('Code of your authenticator app, or a recovery code')
    await page.getByRole('button', { name: 'Turn off' }).click()
    await code.fill('AAAA-BBBB-CCCC-DDDD')
    await page.keyboard.press('Enter')
    await page.getByText('The code is wrong or has been used').waitFor()
    t.strictSame(await violations(page), [])
    await code.fill(totp(secret))
    await page.keyboard.press('Enter')
    await page.getByText('Two-factor authentication is off.').waitFor()
    t.ok((await dashboard.login(person.email, person.password)).body.token)

    const again = await beginSetUp(page)
    await page.getByLabel('Code that the app shows now').fill(await previousTotp(again, typingMs))
    await page.keyboard.press('Enter')
    await page.getByRole('checkbox').waitFor()
    const [recoveryCode = ''] = await shownCodes(page)
    await page.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('button', { name: 'Turn off' }).click()
    await code.fill(recoveryCode)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Set up two-factor authentication' }).waitFor()
    t.ok((await dashboard.login(person.email, person.password)).body.token)
  })

  t.test('looks well', async (t) => {
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: person, path: '/account' }, ({ page }) => beginSetUp(page))
    await looksWell(t, dashboard, { path: '/account' }, async ({ page, context }) => {
      const { token, secret } = await dashboard.newTwoFactorPerson()
      await context.addCookies([{ name: 'session', value: token, url: dashboard.url }])
      await page.reload()
      await page.getByRole('button', { name: 'Turn off' }).click()
      await page.getByRole('dialog').waitFor()
      t.strictSame(await violations(page), [])
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'New recovery codes' }).click()
      await page.getByLabel('Code of your authenticator app').fill(totp(secret))
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    })
  })
})
