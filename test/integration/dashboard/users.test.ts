// The pages of users: created, changed, suspended, deleted, and what is refused.
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { notFresh, refuseOnce } from '../../support/dashboard/refuse.js'
import { forgets, shows } from '../../support/dashboard/shows.js'
import { newAllocation, newDevice } from '../../support/tunnel/devices.js'

t.test('users', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const asAdmin = { bearer: dashboard.admin.token }
  const userOf = async (id: string) => (await dashboard.ok('GET', `/api/users/${id}`, asAdmin)).body.user
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const closed = (page: Page) => page.getByRole('dialog').waitFor({ state: 'detached' })

  t.test('a list, in which one is created with a password that is shown once', async (t) => {
    for (const [name, email] of [
      ['محمد', 'right-to-left@example.com'],
      [null, `${'a.very.long.address.'.repeat(3)}of.one@subdomain.example.com`],
    ]) {
      const body = {
        email,
        name,
        password: 'a password of some length',
        permissions: ['servers:read', 'users:read', 'x:*'],
      }
      await dashboard.ok('POST', '/api/users', { ...asAdmin, body })
    }
    await looksWell(t, dashboard, { as: dashboard.admin, path: '/users' }, ({ page }) =>
      page.getByText('محمد').waitFor(),
    )
    await looksWell(t, dashboard, { as: dashboard.admin, path: '/users' }, async ({ page }) => {
      await press(page, 'Create user')
      await page.getByLabel('E-mail').waitFor()
    })

    const { page } = await dashboard.open({ as: dashboard.admin, path: '/users' })
    await press(page, 'Create user')
    const dialog = page.getByRole('dialog')
    const submit = dialog.getByRole('button', { name: 'Create user' })
    await dialog.getByLabel('E-mail').fill(dashboard.admin.email.toUpperCase().replace('LOCALHOST', 'localhost'))
    await submit.click()
    await dialog.getByText('Another user has this e-mail address').waitFor()
    await dialog.getByLabel('E-mail').fill('grace@example.com')
    await dialog.getByLabel('Choose one').check()
    await dialog.getByLabel('New password', { exact: true }).fill('short')
    await submit.click()
    await dialog.getByText('Must have 8 to 256 characters').waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByLabel('Generate one').check()
    await dialog.getByLabel('Name', { exact: true }).fill('Grace Hopper')
    await dialog.getByLabel('See users').check()
    await submit.click()
    const shown = page.getByRole('dialog', { name: 'Password' })
    const password = await shown.getByRole('region', { name: 'Password of grace@example.com' }).innerText()
    t.strictSame(await violations(page), [])
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await shown.getByLabel('I have passed it on or stored it').check()
    await press(page, 'Done')
    await closed(page)
    await forgets(t, page, password)
    await page.getByRole('row').filter({ hasText: 'grace@example.com' }).getByText('See users').waitFor()
    t.equal((await dashboard.login('grace@example.com', password)).status, 200)
  })

  t.test('nobody offers what they do not hold', async (t) => {
    const reader = await dashboard.newPerson(['users:read'])
    const person = await dashboard.newPerson()
    const { page: reading } = await dashboard.open({ as: reader, path: '/users' })
    await reading.getByRole('link', { name: person.email }).waitFor()
    await shows(t, () => reading.getByRole('button', { name: 'Create user' }).count(), 0)
    await reading.getByRole('link', { name: person.email }).click()
    await reading.getByRole('heading', { level: 1, name: person.email }).waitFor()
    await shows(t, () => reading.getByRole('main').getByRole('button').count(), 1, 'nothing but to copy the ID')

    const writer = await dashboard.newPerson(['users:read', 'users:write', 'tunnels:read'])
    const { page } = await dashboard.open({ as: writer, path: `/users/${person.id}` })
    await press(page, 'Change permissions')
    const boxes = page.getByRole('dialog').getByRole('checkbox')
    const offered = () => boxes.evaluateAll((all) => all.map((box) => box.getAttribute('value')))
    await shows(t, offered, ['tunnels:read', 'users:read', 'users:write'])
    await page.getByLabel('Other permissions').fill('settings:write')
    await press(page, 'Save')
    await page.getByText('Nobody grants a permission that they do not hold').waitFor()
    await page.goto(`${dashboard.url}/users/${dashboard.admin.id}`)
    await page.getByText('Everything').waitFor()
    await shows(t, () => page.getByRole('button', { name: 'Suspend' }).count(), 0, 'one who holds more is out of reach')

    const { page: foreign } = await dashboard.open({ as: person, path: '/users' })
    await foreign.getByText('This page is not for you').waitFor()
    t.strictSame(await violations(foreign), [])
  })

  t.test('profile, permissions and quotas', async (t) => {
    const person = await dashboard.newPerson(['servers:write'])
    await looksWell(t, dashboard, { as: dashboard.admin, path: `/users/${person.id}` }, ({ page }) =>
      page.getByText('servers:write').waitFor(),
    )
    const { page } = await dashboard.open({ as: dashboard.admin, path: `/users/${person.id}` })
    await press(page, 'Edit profile')
    await page.getByLabel('E-mail').fill(`moved-${person.email}`)
    await page.getByLabel('Name', { exact: true }).fill('Ada')
    await refuseOnce(page, `**/api/users/${person.id}`, { ...notFresh, method: 'PATCH' })
    await press(page, 'Save')
    const confirm = page.getByRole('dialog', { name: 'Confirm that it is you' })
    await confirm.getByLabel('Password', { exact: true }).fill(dashboard.admin.password)
    await press(page, 'Confirm')
    await page.getByRole('heading', { level: 1, name: 'Ada' }).waitFor()
    t.match(await userOf(person.id), { email: `moved-${person.email}`, name: 'Ada' })

    await press(page, 'Change permissions')
    await shows(t, () => page.getByLabel('Other permissions').inputValue(), 'servers:write')
    await page.getByLabel('Read the audit log').check()
    t.strictSame(await violations(page), [])
    await press(page, 'Save')
    await closed(page)
    await page.getByRole('listitem').filter({ hasText: 'Read the audit log' }).waitFor()
    t.strictSame((await userOf(person.id)).permissions, ['audit:read', 'servers:write'])
    await press(page, 'Change permissions')
    await page.getByLabel('Everything').check()
    await page.getByLabel('Other permissions').waitFor({ state: 'hidden' })
    await press(page, 'Save')
    await closed(page)
    t.strictSame((await userOf(person.id)).permissions, ['*'])

    await page.getByText('10, as the settings say').waitFor()
    await press(page, 'Change quotas')
    await page.getByLabel('Tunnels').fill('3')
    t.strictSame(await violations(page), [])
    await press(page, 'Save')
    await page.getByText('3, for this user alone').waitFor()
    t.strictSame((await userOf(person.id)).quotas, { allocationsPerUser: 3 })
    await press(page, 'Change quotas')
    await page.getByLabel('Tunnels').fill('')
    await press(page, 'Save')
    await page.getByText('10, as the settings say').waitFor()
    t.equal((await userOf(person.id)).quotas, null)
  })

  t.test('suspended, with all that ends, and let in again', async (t) => {
    const person = await dashboard.newPerson()
    const { key } = await dashboard.newKey(person)
    const device = await newDevice(dashboard, { ownerId: person.id })
    await newAllocation(dashboard, device)
    const { page } = await dashboard.open({ as: dashboard.admin, path: `/users/${person.id}` })
    await press(page, 'Suspend')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('every API key of theirs').waitFor()
    await dialog.getByText('Now: 1 device, 1 tunnel.').waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByRole('button', { name: 'Suspend' }).click()
    await closed(page)
    await page.getByText('Suspended', { exact: true }).waitFor()
    t.equal((await dashboard.send('GET', '/api/auth/session', { bearer: person.token })).status, 401)
    t.equal((await dashboard.send('GET', '/api/auth/session', { apiKey: key })).status, 401)
    await press(page, 'Lift suspension')
    await page.getByText('do not come back').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Lift suspension' }).click()
    await page.getByText('Active', { exact: true }).waitFor()
    t.equal((await dashboard.login(person.email, person.password)).status, 200)
  })

  t.test('a password is set, and two-factor authentication turned off', async (t) => {
    const person = await dashboard.newTwoFactorPerson()
    const { page } = await dashboard.open({ as: dashboard.admin, path: `/users/${person.id}` })
    await press(page, 'Turn off two-factor authentication')
    await page.getByText('signs in with their password alone').waitFor()
    t.strictSame(await violations(page), [])
    await press(page, 'Turn off')
    await closed(page)
    t.ok((await dashboard.login(person.email, person.password)).body.token, 'the password alone is enough')

    await press(page, 'Set password')
    await page.getByLabel('Choose one').check()
    await page.getByLabel('New password', { exact: true }).fill('another password altogether')
    t.strictSame(await violations(page), [])
    await page.getByRole('dialog').getByRole('button', { name: 'Set password' }).click()
    await closed(page)
    t.equal((await dashboard.login(person.email, 'another password altogether')).status, 200)
    t.equal((await dashboard.login(person.email, person.password)).status, 401)
  })

  t.test('deleted, unless others would be left without an owner', async (t) => {
    const person = await dashboard.newPerson()
    const other = await dashboard.newPerson()
    const { body } = await dashboard.ok('POST', '/api/organisations', {
      bearer: person.token,
      body: { name: 'Theirs' },
    })
    const member = `/api/organisations/${body.organisation.id}/members/${other.id}`
    await dashboard.ok('PUT', member, { ...asAdmin, body: { role: 'member' } })
    const { page } = await dashboard.open({ as: dashboard.admin, path: `/users/${person.id}` })
    await press(page, 'Delete user')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('organisations that have no other member').waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByRole('button', { name: 'Delete user' }).click()
    await dialog.getByText('They are the only owner of an organisation that has other members').waitFor()
    await dashboard.ok('DELETE', member, asAdmin)
    await dialog.getByRole('button', { name: 'Delete user' }).click()
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor()
    await page.getByRole('link', { name: other.email }).waitFor()
    await shows(t, () => page.getByRole('link', { name: person.email }).count(), 0)
    t.equal((await dashboard.send('GET', `/api/users/${person.id}`, asAdmin)).status, 404)
    await page.goto(`${dashboard.url}/users/${person.id}`)
    await page.getByRole('alert').waitFor()
    t.strictSame(await violations(page), [], 'one that is not there')
  })

  t.test('the last administrator stays one', async (t) => {
    const { page } = await dashboard.open({ as: dashboard.admin, path: `/users/${dashboard.admin.id}` })
    // Whoever else holds everything by now.
    const { body } = await dashboard.ok('GET', '/api/users?limit=500', asAdmin)
    for (const user of body.users as { id: string; permissions: string[] }[]) {
      if (user.id === dashboard.admin.id || !user.permissions.includes('*')) continue
      await dashboard.ok('PATCH', `/api/users/${user.id}`, { ...asAdmin, body: { permissions: [] } })
    }
    await press(page, 'Change permissions')
    await page.getByText('These are your own').waitFor()
    await page.getByLabel('Everything').uncheck()
    await press(page, 'Save')
    await page.getByText('Nobody else may do everything').waitFor()
    await press(page, 'Cancel')
    for (const [button, title] of [
      ['Suspend', 'Suspend'],
      ['Delete user', 'Delete user'],
    ] as const) {
      await press(page, button)
      await page.getByText('This is your own account').waitFor()
      t.strictSame(await violations(page), [])
      await page.getByRole('dialog').getByRole('button', { name: title }).click()
      await page.getByText('They are the only one who may do everything').waitFor()
      await press(page, 'Cancel')
    }
    await shows(
      t,
      () => page.getByRole('button', { name: 'Set password' }).count(),
      0,
      'one’s own is changed elsewhere',
    )
  })

  t.test('more than a thousand', async (t) => {
    const all = Array.from({ length: 1_234 }, (_, index) => ({
      id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      email: `number-${index}@example.com`,
      name: null,
      permissions: [],
      suspended: index % 2 === 1,
      quotas: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    }))
    const { page } = await dashboard.open({ as: dashboard.admin })
    await page.route(/\/api\/users\?/, (route) => {
      const query = new URL(route.request().url()).searchParams
      const [limit, offset] = [Number(query.get('limit')), Number(query.get('offset'))]
      return route.fulfill({ json: { users: all.slice(offset, offset + limit), total: all.length } })
    })
    await page.getByRole('link', { name: 'Users' }).click()
    await page.getByText('100 of 1,234 users').waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Show more users' }).click()
    await page.getByText('400 of 1,234 users').waitFor()
    await page.getByLabel('Filter').fill('number-1233')
    await page.getByText('0 of the 550 users loaded so far match').waitFor()
    await press(page, 'Load all 1,234')
    await page.getByText('1 of the 1,234 users there are match').waitFor()
    await page.getByRole('link', { name: 'number-1233@example.com' }).waitFor()
    await page.getByLabel('Filter').fill('')
    await page.getByText('400 of 1,234 users').waitFor()
    await shows(t, () => page.getByRole('row').count(), 401)
  })
})
