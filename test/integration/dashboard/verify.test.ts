import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { type Dashboard, missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { boxText } from '../../support/dashboard/shell.js'
import { shows } from '../../support/dashboard/shows.js'
import { startAgent } from '../../support/tunnel/agents.js'

const options = { skip: skipWithout('Chromium', missingChromium()) }

interface Asking {
  readonly userCode: string
  readonly deviceCode: string
}

async function ask(dashboard: Dashboard, name: string, carried = {}): Promise<Asking> {
  return (await dashboard.ok('POST', '/api/tunnel/device/start', { body: { name }, ...carried })).body
}

async function poll(dashboard: Dashboard, { deviceCode }: Asking) {
  return dashboard.send('GET', `/api/tunnel/device/poll?deviceCode=${deviceCode}`)
}

const linkOf = ({ userCode }: Asking) => `/tunnel/verify?user_code=${userCode}`

/** As if somebody else had been quicker, or time had passed. */
async function refuse(page: Page, action: 'approve' | 'deny', status: number, error: string): Promise<void> {
  const body = JSON.stringify({ type: 'about:blank', title: error, status, detail: error, error })
  await page.route(
    `**/api/tunnel/device/${action}`,
    (route) => route.fulfill({ status, contentType: 'application/problem+json', body }),
    { times: 1 },
  )
}

t.test('the page that a machine’s link and QR code lead to', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { admin } = dashboard
  const asAdmin = { bearer: admin.token }
  const { body: made } = await dashboard.ok('POST', '/api/organisations', { ...asAdmin, body: { name: 'Lanterns' } })

  t.test('shows which device asks, and lets it in under another name and owner', async (t) => {
    const asking = await ask(dashboard, 'minecraft-box')
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: admin, path: linkOf(asking) }, ({ page }) =>
      page.getByText('Is this the code that your machine shows?').waitFor(),
    )
    const { page } = await dashboard.open({ as: admin, path: linkOf(asking), width: 390 })
    await page.getByRole('definition').filter({ hasText: 'minecraft-box' }).waitFor()
    await page.getByText(/in (9|10) minutes/).waitFor()
    await page.getByText('Approve only what your own machine shows.').waitFor()
    await shows(t, () => page.getByLabel('Code on the machine').inputValue(), asking.userCode)

    await page.getByLabel('Owner').fill('nobody@example.com')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('No user has this e-mail address.').first().waitFor()
    await shows(t, () => page.evaluate(() => document.activeElement?.getAttribute('name')), 'ownerId')
    t.strictSame(await violations(page), [])

    await page.getByLabel('Owner').fill(person.email.toUpperCase())
    await page.getByLabel('Name').fill('Minecraft at home')
    await page.getByLabel('Organisation').selectOption('Lanterns')
    await page.getByRole('button', { name: 'Approve' }).click()
    const heading = page.getByRole('heading', { name: 'Minecraft at home is approved' })
    await heading.waitFor()
    await shows(t, () => heading.evaluate((element) => element === document.activeElement), true, 'it is read out')
    await shows(t, () => boxText(page, 'Command that starts the agent'), 'node sallyport.mjs run')
    t.strictSame(await violations(page), [])

    const { body } = await poll(dashboard, asking)
    t.equal(body.approved, true)
    const { body: listed } = await dashboard.ok('GET', '/api/tunnel/devices', asAdmin)
    const { name, ownerId, organisationId } = listed.devices[0]
    t.strictSame(
      { name, ownerId, organisationId },
      {
        name: 'Minecraft at home',
        ownerId: person.id,
        organisationId: made.organisation.id,
      },
    )
    startAgent(t, dashboard.url, body.token)
    await page.getByText('It is online.').waitFor()
  })

  t.test('left as it is, the device is whose who approves', async (t) => {
    const asking = await ask(dashboard, 'tower')
    const { page } = await dashboard.open({ as: admin, path: linkOf(asking).toLowerCase() })
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('heading', { name: 'tower is approved' }).waitFor()
    const { body } = await dashboard.ok('GET', '/api/tunnel/devices', asAdmin)
    t.equal(body.devices.find((device: { name: string }) => device.name === 'tower').ownerId, admin.id)
    // The same link again.
    await page.reload()
    await page.getByText('This code has been used').waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('alert').filter({ hasText: 'approved already' }).waitFor()
    t.strictSame(await violations(page), [])
  })

  t.test('denies', async (t) => {
    const asking = await ask(dashboard, 'a stranger')
    const { page } = await dashboard.open({ as: admin, path: linkOf(asking) })
    await page.getByText('Is this the code').waitFor()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('heading', { name: 'a stranger is denied' }).waitFor()
    t.strictSame(await violations(page), [])
    t.equal((await poll(dashboard, asking)).body.error, 'enrolment_denied')
    await page.reload()
    await page.getByText('No device waits with this code').waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('alert').filter({ hasText: 'This code was denied' }).waitFor()
  })

  t.test('takes a code that is typed, however it is typed', async (t) => {
    const asking = await ask(dashboard, 'typed')
    const { page } = await dashboard.open({ as: admin, path: '/tunnel/verify' })
    const code = page.getByLabel('Code on the machine')
    await shows(t, () => code.evaluate((element) => element === document.activeElement), true)
    await page.getByRole('button', { name: 'Approve' }).click()
    t.equal(await code.evaluate((element: HTMLInputElement) => element.validity.valueMissing), true)
    await code.fill('BBBB-2222')
    await page.getByText('No device waits with this code').waitFor()
    await code.fill(` ${asking.userCode.toLowerCase().replace('-', ' ')} `)
    await page.getByText('Is this the code').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'typed is approved' }).waitFor()
  })

  t.test('says what is wrong: expired, unknown, refused by the host, the network', async () => {
    const asking = await ask(dashboard, 'unlucky')
    const { page } = await dashboard.open({ as: admin, path: linkOf(asking) })
    const alert = page.getByRole('alert')
    const [approve, deny] = [page.getByRole('button', { name: 'Approve' }), page.getByRole('button', { name: 'Deny' })]
    await page.getByText('Is this the code').waitFor()
    await refuse(page, 'approve', 410, 'enrolment_expired')
    await approve.click()
    await alert.filter({ hasText: 'This code has expired' }).waitFor()
    await refuse(page, 'deny', 404, 'not_found')
    await deny.click()
    await alert.filter({ hasText: 'No device waits with this code' }).waitFor()
    await refuse(page, 'approve', 403, 'enrolment_refused')
    await approve.click()
    await alert.filter({ hasText: 'enrolment_refused' }).waitFor()
    await page.context().setOffline(true)
    await approve.click()
    await alert.filter({ hasText: 'cannot be reached' }).waitFor()
    await page.context().setOffline(false)
    await approve.click()
    await page.getByRole('heading', { name: 'unlucky is approved' }).waitFor()
  })

  t.test('somebody who may not approve is told what to send to whom', async (t) => {
    const asking = await ask(dashboard, 'mine')
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: person, path: linkOf(asking) }, ({ page }) =>
      boxText(page, 'Link for an administrator'),
    )
    const { page } = await dashboard.open({ as: person, path: linkOf(asking), width: 390 })
    await shows(t, () => boxText(page, 'Link for an administrator'), dashboard.url + linkOf(asking))
    await page.getByText(person.email, { exact: true }).last().waitFor()
    await shows(t, () => page.getByRole('button', { name: 'Approve' }).count(), 0)
    const { page: bare } = await dashboard.open({ as: person, path: '/tunnel/verify' })
    await bare.getByText('the code that your machine shows').waitFor()
  })

  t.test('whoever is signed out signs in first, and is where they wanted to be', async (t) => {
    const asking = await ask(dashboard, 'scanned')
    const { page } = await dashboard.open({ path: linkOf(asking), width: 390 })
    await page.getByLabel('E-mail').fill(admin.email)
    await page.getByLabel('Password', { exact: true }).fill(admin.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('definition').filter({ hasText: 'scanned' }).waitFor()
    await shows(t, () => page.getByLabel('Code on the machine').inputValue(), asking.userCode)
  })

  t.test('who approves but does not see devices compares the code alone', async (t) => {
    const asking = await ask(dashboard, 'unseen')
    const approver = await dashboard.newPerson(['tunnels:approve'])
    const { page } = await dashboard.open({ as: approver, path: linkOf(asking) })
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await shows(t, () => page.getByText('unseen').count(), 0)
    await shows(t, () => page.getByLabel('Owner').count(), 0)
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('heading', { name: 'unseen is approved' }).waitFor()
  })

  t.test('a code as long as a book, markup and strange letters do no harm', async () => {
    const strange = encodeURIComponent(`<img src=x onerror=alert(1)>\u202e${'x'.repeat(2_000)}`)
    const { page } = await dashboard.open({ as: admin, path: `/tunnel/verify?user_code=${strange}` })
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('alert').filter({ hasText: 'No device waits with this code' }).waitFor()
  })
})

t.test('guessing is stopped, and it is said for how long', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { page } = await dashboard.open({ as: dashboard.admin, path: '/tunnel/verify?user_code=BBBB-2222' })
  for (let guesses = 0; guesses < 30; guesses += 1) {
    await dashboard.send('POST', '/api/tunnel/device/approve', {
      bearer: dashboard.admin.token,
      body: { userCode: 'CCCC-3333' },
    })
  }
  for (const name of ['Approve', 'Deny']) {
    const answer = page.waitForResponse(`**/api/tunnel/device/${name.toLowerCase()}`)
    await page.getByRole('button', { name }).click()
    await answer
    await page
      .getByRole('alert')
      .filter({ hasText: /Too many tries\. .*again in/ })
      .waitFor()
    t.strictSame(await violations(page), [])
  }
})
