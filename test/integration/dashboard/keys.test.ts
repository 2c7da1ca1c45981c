// The page of API keys: made, shown once, changed, rotated, deleted.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { notFresh, refuseOnce } from '../../support/dashboard/refuse.js'
import { forgets, shows } from '../../support/dashboard/shows.js'
import { until } from '../../support/deadline.js'

const run = promisify(execFile)
const day = 86_400_000

t.test('API keys', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t)
  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })
  const statusOf = async (key: string) => {
    const { status } = await dashboard.send('GET', '/api/auth/session', { headers: { authorization: `ApiKey ${key}` } })
    return status
  }
  /** The key in the dialog, which is confirmed away. */
  const takeKey = async (page: Page) => {
    const key = await page.getByRole('region', { name: 'API key', exact: true }).innerText()
    await page.getByLabel('I have stored the key').check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    return key
  }

  t.test('the first one, from nothing to a request that works', async (t) => {
    const person = await dashboard.newPerson()
    await looksWell(t, dashboard, { as: person, path: '/keys' }, async ({ page }) => {
      await page.getByText('You have no API keys').waitFor()
      await shows(t, () => page.getByText('Keys of others').count(), 0, 'who may not see them is not told of them')
    })
    await looksWell(t, dashboard, { as: person, path: '/keys' }, async ({ page }) => {
      await page.getByRole('button', { name: 'Create key' }).click()
      await page.getByLabel('Name', { exact: true }).waitFor()
    })

    const { page, context } = await dashboard.open({ as: person, path: '/keys' })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Create key' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name', { exact: true }).waitFor()
    await shows(t, () => dialog.getByLabel('Administrator').count(), 0, 'an admin key is for holders of everything')
    await shows(
      t,
      () =>
        dialog
          .getByRole('checkbox')
          .evaluateAll((boxes) => boxes.map((box) => (box as unknown as { value: string }).value)),
      ['tunnels:read', 'tunnels:write'],
    )
    await dialog.getByLabel('Name', { exact: true }).fill('Backup script')
    await dialog.getByLabel('See your tunnels').check()
    await dialog.getByLabel('Other permissions').fill('no permission at all')
    await dialog.getByLabel('Allowed addresses').fill('127.0.0.0/8\nnowhere')
    const submit = dialog.getByRole('button', { name: 'Create key' })
    await submit.click()
    await dialog.getByText('Must be a permission such as').waitFor()
    await shows(t, () => dialog.getByLabel('Other permissions').getAttribute('aria-invalid'), 'true')
    await dialog.getByLabel('Other permissions').fill('')
    await submit.click()
    await dialog.getByText('Must be an address or a CIDR range').waitFor()
    t.strictSame(await violations(page), [], 'the refused form')
    await dialog.getByLabel('Allowed addresses').fill('127.0.0.0/8\n::1')
    await dialog.getByLabel('Other permissions').fill('users:read')
    await submit.click()
    await dialog.getByText('Nobody grants a permission that they do not hold').waitFor()
    await dialog.getByLabel('Other permissions').fill('')

    await refuseOnce(page, '**/api/apikeys', {
      method: 'POST',
      status: 429,
      error: 'too_many_requests',
      headers: { 'retry-after': '30' },
    })
    await submit.click()
    await dialog.getByText('Too many tries').first().waitFor()
    await refuseOnce(page, '**/api/apikeys', {
      method: 'POST',
      status: 403,
      error: 'quota_exceeded',
      detail: 'A user has at most 1 API keys',
    })
    await submit.click()
    await dialog.getByText('A user has at most 1 API keys').waitFor()
    await page.route('**/api/apikeys', (route) => route.abort(), { times: 1 })
    await submit.click()
    await dialog.getByText('The panel cannot be reached').waitFor()

    // Not fresh: asked who it is, thought better of it, asked again.
    await refuseOnce(page, '**/api/apikeys', { ...notFresh, method: 'POST' })
    await submit.click()
    const confirm = page.getByRole('dialog', { name: 'Confirm that it is you' })
    await confirm.getByRole('button', { name: 'Cancel' }).click()
    await confirm.waitFor({ state: 'detached' })
    await refuseOnce(page, '**/api/apikeys', { ...notFresh, method: 'POST' })
    await submit.click()
    await confirm.getByLabel('Password', { exact: true }).fill(person.password)
    await confirm.getByRole('button', { name: 'Confirm' }).click()

    const shown = page.getByRole('dialog', { name: 'Key “Backup script”' })
    await shown.getByText('It is not shown again').waitFor()
    t.strictSame(await violations(page), [], 'the key that is shown')
    // It is not lost by a key that is pressed too often, nor without a word.
    for (const _ of [1, 2, 3]) await page.keyboard.press('Escape')
    await shown.getByRole('button', { name: 'Done' }).click()
    await shown.getByRole('button', { name: 'Copy: API key' }).click()
    const command = await shown.getByRole('region', { name: 'Command that tries the key' }).innerText()
    const key = await takeKey(page)
    await shows(t, () => page.evaluate<string>('navigator.clipboard.readText()'), key)
    const { stdout } = await run('sh', ['-c', command])
    t.equal(JSON.parse(stdout).authentication.kind, 'apiKey', 'the line works as it is')
    await forgets(t, page, key)
    await row(page, 'Backup script')
      .getByText('See all tunnels')
      .or(row(page, 'Backup script').getByText('See your tunnels'))
      .first()
      .waitFor()

    const { body } = await dashboard.ok('GET', '/api/apikeys/my', { bearer: person.token })
    const [entry] = body.apiKeys
    t.match(entry, {
      name: 'Backup script',
      type: 'client',
      permissions: ['tunnels:read'],
      allowedIps: ['127.0.0.0/8', '::1'],
    })
    t.ok(Math.abs(Date.parse(entry.expiresAt) - Date.now() - 90 * day) < day, 'in 90 days unless one says otherwise')
  })

  t.test('change, rotate and delete', async (t) => {
    const person = await dashboard.newPerson()
    const { id, key } = await dashboard.newKey(person, { name: 'Bot', permissions: ['tunnels:read'] })
    const entry = async () => (await dashboard.ok('GET', `/api/apikeys/${id}`, { bearer: person.token })).body.entry
    const { page } = await dashboard.open({ as: person, path: '/keys' })
    const dialog = page.getByRole('dialog')

    await page.getByRole('button', { name: 'Change Bot' }).click()
    await dialog.getByLabel('Name', { exact: true }).fill('Robot')
    await dialog.getByLabel('Manage your tunnels').check()
    await dialog.getByLabel('Expires').selectOption('date')
    const lastDay = new Date(Date.now() + 40 * day).toISOString().slice(0, 10)
    await dialog.getByLabel('Last day').fill(lastDay)
    t.strictSame(await violations(page), [])
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row(page, 'Robot').waitFor()
    t.match(await entry(), { name: 'Robot', permissions: ['tunnels:read', 'tunnels:write'] })
    t.ok(Math.abs(Date.parse((await entry()).expiresAt) - Date.parse(lastDay)) < 2 * day)

    // What is not touched stays; an end can be lifted.
    const before = await entry()
    await page.getByRole('button', { name: 'Change Robot' }).click()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    t.strictSame({ ...(await entry()), lastUsedAt: null }, { ...before, lastUsedAt: null })
    await page.getByRole('button', { name: 'Change Robot' }).click()
    await dialog.getByLabel('Expires').selectOption('never')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    t.equal((await entry()).expiresAt, null)

    t.equal(await statusOf(key), 200)
    await page.getByRole('button', { name: 'Rotate Robot' }).click()
    await dialog.getByText('stops working at once').waitFor()
    t.strictSame(await violations(page), [])
    await refuseOnce(page, '**/rotate', {
      status: 409,
      error: 'api_key_changed',
      detail: 'The API key has just been changed by another request',
    })
    await dialog.getByRole('button', { name: 'Rotate key' }).click()
    await dialog.getByText('has just been changed').waitFor()
    await dialog.getByRole('button', { name: 'Rotate key' }).click()
    const rotated = await takeKey(page)
    t.equal(await statusOf(key), 401, 'the old one is dead')
    t.equal(await statusOf(rotated), 200)

    await page.getByRole('button', { name: 'Delete Robot' }).click()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    t.equal(await statusOf(rotated), 200, 'thought better of it')
    await page.getByRole('button', { name: 'Delete Robot' }).click()
    await dialog.getByRole('button', { name: 'Delete key' }).click()
    await page.getByText('You have no API keys').waitFor()
    t.equal(await statusOf(rotated), 401)
  })

  t.test('an administrator makes an admin key, and looks after those of others', async (t) => {
    const person = await dashboard.newPerson()
    const others = await dashboard.newKey(person, { name: 'A key of somebody else' })
    const { page } = await dashboard.open({ as: dashboard.admin, path: '/keys' })
    await page.getByRole('button', { name: 'Create key' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name', { exact: true }).fill('Panel of panels')
    await dialog.getByLabel('Administrator').check()
    await shows(t, () => dialog.getByRole('group', { name: 'Permissions' }).count(), 0, 'it may do everything')
    await dialog.getByLabel('Expires').selectOption('30')
    await dialog.getByRole('button', { name: 'Create key' }).click()
    const key = await takeKey(page)
    const { body } = await dashboard.ok('GET', '/api/users', { headers: { authorization: `ApiKey ${key}` } })
    t.ok(body.total > 0)
    await row(page, 'Panel of panels').getByText('Administrator').waitFor()

    await row(page, 'A key of somebody else').getByRole('link', { name: person.email }).waitFor()
    await page.getByRole('button', { name: 'Delete A key of somebody else' }).click()
    await dialog.getByRole('heading', { name: person.email }).waitFor()
    await dialog.getByRole('button', { name: 'Delete key' }).click()
    await row(page, 'A key of somebody else').waitFor({ state: 'detached' })
    t.equal(await statusOf(others.key), 401)
  })

  t.test('whoever may only see those of others changes none', async (t) => {
    const owner = await dashboard.newPerson()
    await dashboard.newKey(owner, { name: 'Seen from afar' })
    const reader = await dashboard.newPerson(['apikeys:read'])
    const { page } = await dashboard.open({ as: reader, path: '/keys' })
    await row(page, 'Seen from afar').waitFor()
    await shows(t, () => row(page, 'Seen from afar').getByRole('button').count(), 0)
  })

  t.test('many of them', async (t) => {
    const person = await dashboard.newPerson()
    // One long word: the filter looks in the keys' random prefixes too.
    const names = Array.from({ length: 25 }, (_, index) => `Key number-${index} of a long row of keys`)
    for (const name of names) await dashboard.newKey(person, { name, allowedIps: ['192.0.2.0/24', '2001:db8::/32'] })
    await looksWell(t, dashboard, { as: person, path: '/keys' }, ({ page }) => row(page, names[24] ?? '').waitFor())
    const { page } = await dashboard.open({ as: person, path: '/keys' })
    await page.getByLabel('Filter').fill('number-23 key')
    await until('one row', async () => (await page.getByRole('row').count()) === 2)
    await page.getByText('1 of the 25 keys there are match.').waitFor()
    await page.getByLabel('Filter').fill('nothing like it')
    await page.getByText('0 of the 25 keys').waitFor()
  })

  t.test('a list that cannot be read says so, and is read again', async (t) => {
    const person = await dashboard.newPerson()
    const { page } = await dashboard.open({ as: person })
    await refuseOnce(page, '**/api/apikeys/my', {
      status: 503,
      error: 'service_unavailable',
      detail: 'A part is missing',
    })
    await page.getByRole('link', { name: 'API keys' }).click()
    await page.getByText('A part is missing').waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('You have no API keys').waitFor()
  })
})
