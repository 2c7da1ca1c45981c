// The audit log as people read it.
import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { refuseOnce } from '../../support/dashboard/refuse.js'
import { shows } from '../../support/dashboard/shows.js'
import { until } from '../../support/deadline.js'

t.test('audit', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t)
  const { admin } = dashboard
  const asAdmin = { bearer: admin.token }
  const person = await dashboard.newPerson(['users:read'])
  const { body } = await dashboard.ok('POST', '/api/organisations', {
    ...asAdmin,
    body: { name: 'Clan of the Red Lantern' },
  })
  const member = `/api/organisations/${body.organisation.id}/members/${person.id}`
  await dashboard.ok('PUT', member, { ...asAdmin, body: { role: 'admin' } })
  await dashboard.ok('PATCH', '/api/settings', { ...asAdmin, body: { quotas: { allocationsPerUser: 11 } } })
  await dashboard.ok('PATCH', `/api/users/${person.id}`, { ...asAdmin, body: { name: 'Ada' } })
  await dashboard.newKey(person, { name: 'Backup script' })
  await dashboard.login(person.email, 'not the password')

  t.test('each entry says what, to what, who, when and from where', async (t) => {
    await looksWell(t, dashboard, { as: admin, path: '/audit' }, async ({ page }) => {
      await page.getByText('Clan of the Red Lantern').first().waitFor()
      await page.getByText('Details of: Changed the settings').click()
      await page.getByRole('region', { name: /^Raw data/ }).waitFor()
    })
    const { page } = await dashboard.open({ as: admin, path: '/audit' })
    const entries = page.getByRole('main').getByRole('list').getByRole('listitem')
    const entry = (words: string) => entries.filter({ hasText: words }).first()
    await entry('Added a member to an organisation').getByText(`: ${person.email} as admin`).waitFor()
    await entry('Added a member to an organisation').getByRole('link', { name: 'Clan of the Red Lantern' }).waitFor()
    await entry('Changed the settings').getByText('quotas.allocationsPerUser = 11').waitFor()
    await entry('Changed the settings').getByText('You').waitFor()
    await entry('Changed a user').getByText(`${person.email}: name`).waitFor()
    await entry('Created an API key').getByText('Backup script').waitFor()
    await entry('A sign-in failed').getByText(`Somebody as ${person.email}`).waitFor()
    await entry('A sign-in failed').getByText('Refused').waitFor()
    t.match(await entry('Created a user').innerText(), /from (10|127)\./)
    await shows(t, () => entry('Signed in').getByText('session', { exact: false }).count(), 0)

    const settings = entry('Changed the settings')
    await settings.getByText('Details').click()
    const raw = JSON.parse(await settings.getByRole('region', { name: /^Raw data/ }).innerText())
    t.match(raw, { action: 'settings.changed', data: { change: { quotas: { allocationsPerUser: 11 } } } })
    t.strictSame(await violations(page), [])
  })

  t.test('filtered by action, by who and by what, in the address too', async (t) => {
    const { page } = await dashboard.open({ as: admin, path: '/audit' })
    const entries = page.getByRole('main').getByRole('list').getByRole('listitem')
    const titles = () => entries.locator('strong').allInnerTexts()
    const onlyThese = (...wanted: string[]) =>
      until(`only ${wanted}`, async () => {
        const now = await titles()
        return now.length > 0 && now.every((title) => wanted.includes(title))
      })
    await page.getByLabel('Action').fill('user.changed')
    await page.getByRole('button', { name: 'Apply' }).click()
    await onlyThese('Changed a user')
    t.match(page.url(), /\?action=user\.changed$/)
    await page.getByRole('button', { name: 'Show everything' }).click()
    await entries.filter({ hasText: 'Changed the settings' }).first().waitFor()

    // In words, and by e-mail address.
    await page.getByLabel('Who did it').fill(person.email)
    await page.getByLabel('Action').fill('created an api key')
    await page.getByRole('button', { name: 'Apply' }).click()
    await onlyThese('Created an API key')
    t.match(page.url(), new RegExp(`actor=${person.id}`))
    await shows(t, () => page.getByLabel('Who did it').inputValue(), person.email)
    await page.getByLabel('Action').fill('nothing.of-the-sort')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('Nothing matches').waitFor()
    t.strictSame(await violations(page), [])
    await page.goBack()
    await onlyThese('Created an API key')

    await page.goto(`${dashboard.url}/audit?target=${person.id}`)
    await onlyThese('Created a user', 'Changed a user')
    await entries.filter({ hasText: 'Changed a user' }).getByText('Details').click()
    await page.getByRole('button', { name: 'Only this action' }).click()
    await onlyThese('Changed a user')
    t.match(page.url(), /action=user\.changed/)

    await page.goto(`${dashboard.url}/users/${person.id}`)
    await page.getByRole('link', { name: 'What was done to them' }).click()
    await onlyThese('Created a user', 'Changed a user')
  })

  t.test('older ones, until there are no more', async (t) => {
    for (let count = 0; count < 60; count += 1) {
      await dashboard.ok('PATCH', '/api/settings', {
        ...asAdmin,
        body: { quotas: { allocationsPerUser: 100 + count } },
      })
    }
    const { page } = await dashboard.open({ as: admin, path: '/audit?action=settings.changed' })
    const entries = page.getByRole('main').getByRole('list').getByRole('listitem')
    await page.getByText('The newest 50 entries').waitFor()
    await refuseOnce(page, /before=/, { status: 503, error: 'service_unavailable', detail: 'A part is missing' })
    await page.getByRole('button', { name: 'Load older' }).click()
    await page.getByText('A part is missing').waitFor()
    t.equal(await entries.count(), 50, 'what is there stays')
    await page.getByRole('button', { name: 'Load older' }).click()
    await page.getByText('61 entries. These are all.').waitFor()
    const shown = await entries.getByText('quotas.allocationsPerUser').allInnerTexts()
    t.strictSame(
      shown.map((text) => Number(text.split(' = ')[1])),
      [...Array.from({ length: 60 }, (_, index) => 159 - index), 11],
      'newest first, none twice',
    )
    await shows(t, () => page.getByRole('button', { name: 'Load older' }).count(), 0)
  })

  t.test('actions of plugins, and data of any form', async (t) => {
    const base = { at: '2026-01-02T03:04:05.000Z', requestId: null, ip: '2001:db8::1' }
    const { page } = await dashboard.open({ as: admin })
    await page.route(/\/api\/audit/, (route) =>
      route.fulfill({
        json: {
          entries: [
            {
              ...base,
              id: '3',
              action: 'server.power-cycled',
              actor: { kind: 'apiKey', id: 'k', name: 'محمد' },
              target: { type: 'game-server', id: 's-1' },
              data: 'text',
            },
            { ...base, id: '2', action: 'x', actor: null, target: null, data: [1, null], ip: null },
            {
              ...base,
              id: '1',
              action: 'settings.changed',
              actor: { kind: 'user', id: 'gone', name: null },
              target: null,
              data: { change: { a: 'x'.repeat(5_000) } },
            },
          ],
          next: null,
        },
      }),
    )
    await page.getByRole('link', { name: 'Audit' }).click()
    await page.getByText('Server power cycled', { exact: true }).waitFor()
    await page.getByText('Game server s-1').waitFor()
    await page.getByText('API key محمد').waitFor()
    for (const details of await page.getByText(/^Details/).all()) await details.click()
    t.strictSame(await violations(page), [])
  })

  t.test('not for everyone', async (t) => {
    const { page } = await dashboard.open({ as: person, path: '/audit' })
    await page.getByText('This page is not for you').waitFor()
    t.strictSame(await violations(page), [])
  })
})
