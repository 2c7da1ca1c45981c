import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { boxText, machine } from '../../support/dashboard/shell.js'
import { shows } from '../../support/dashboard/shows.js'
import { newAllocation, newDevice, relays } from '../../support/tunnel/devices.js'
import { startRelayProgram } from '../../support/tunnel/relay-program.js'

const options = { skip: skipWithout('Chromium', missingChromium()) }
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

t.test('relays on a list: place, load against capacity, whether they are there', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { admin } = dashboard
  const { body } = await dashboard.ok('POST', '/api/organisations', { bearer: admin.token, body: { name: 'Lanterns' } })
  const { device, program } = await startRelayProgram(t, dashboard, {
    organisationId: body.organisation.id,
    args: ['--region', 'eu', '--capacity', '4', '--drain', '60'],
  })
  await dashboard.ok('PATCH', `/api/tunnel/devices/${device.id}`, { bearer: admin.token, body: { name: 'far away' } })
  await newAllocation(dashboard, await newDevice(dashboard, { organisationId: body.organisation.id }))

  const { page } = await dashboard.open({ as: admin, path: '/relays' })
  const row = rowOf(page, 'far away')
  await row.getByText('Online').waitFor()
  await row.getByText('1 of 4 tunnels').waitFor()
  await row.getByText('eu', { exact: true }).waitFor()
  await row.getByText('Lanterns').waitFor()
  await shows(t, () => row.innerText(), /localhost:\d+/)
  await shows(t, () => row.getByRole('meter', { name: 'Tunnels of far away' }).getAttribute('value'), '1')
  await looksWell(t, dashboard, { as: admin, path: '/relays' }, (visit) => rowOf(visit.page, 'far away').waitFor())

  // Killed: nobody says good-bye.
  await program.stop('SIGKILL')
  await row.getByText('Offline').waitFor()
  await row.getByText(/It is waited for/).waitFor()
  t.strictSame(await violations(page), [])

  await t.test('deleting it says which tunnels it serves', async (t) => {
    await page.goto(`${dashboard.url}/devices`)
    await page.getByRole('button', { name: 'Delete far away' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete far away' })
    await dialog.getByText('It serves 1 tunnel, with nobody on it now.').waitFor()
    await dialog.getByText(/Another relay of the same group/).waitFor()
    t.strictSame(await violations(page), [])
  })
})

t.test('the commands of the page make a relay out of a bare server', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { admin } = dashboard
  const { key } = await dashboard.newKey(admin, { permissions: ['tunnels:approve'] })
  await looksWell(t, dashboard, { as: admin, path: '/relays' }, async ({ page }) => {
    await page.getByText('No relays yet').waitFor()
    await page.getByRole('button', { name: 'Add the first relay' }).click()
    await page.getByText('The commands of the last step').click()
    await page.getByRole('dialog').getByLabel('Public name or address').fill('play.example.com')
    await boxText(page, 'Command that starts the relay')
  })
  const { page } = await dashboard.open({ as: admin, path: '/relays' })
  await page.getByRole('button', { name: 'Add the first relay' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a relay' })
  const server = await machine(t)
  const command = await boxText(page, 'Command for the server')
  t.match(command, /^curl -fsSLO .+ && node sallyport\.mjs enroll --kind server --panel http/)

  const refused = server.paste(command)
  t.equal((await refused.exited).code, 2)
  t.match(refused.stderr, /SALLYPORT_API_KEY/, 'without a terminal and without a key it says what is missing')

  const enrolling = server.paste(command, { SALLYPORT_API_KEY: key })
  await dialog.getByRole('button', { name: /^Yes, approve/ }).click()
  t.equal((await enrolling.exited).code, 0, enrolling.stderr)

  const host = dialog.getByLabel('Public name or address')
  for (const wrong of ['$(reboot)', 'a b', "x'; reboot", 'https://play.example.com']) {
    await host.fill(wrong)
    await dialog.getByText('A name such as play.example.com').waitFor()
    await shows(t, () => dialog.getByRole('region', { name: 'Command that starts the relay' }).count(), 0, wrong)
  }
  t.strictSame(await violations(page), [])
  await host.fill('2001:db8::1')
  await shows(t, () => boxText(page, 'Command that starts the relay'), / --bind-host '::' --public-host 2001:db8::1$/)
  await host.fill('localhost')
  await dialog.getByLabel('Region (optional)').fill('eu-west')
  const start = await boxText(page, 'Command that starts the relay')
  t.equal(start, 'node sallyport.mjs relay --bind-host 0.0.0.0 --public-host localhost --region eu-west')
  const service = await boxText(page, 'Command that makes the relay a service')

  await t.test('the service’s command is understood', async (t) => {
    const dryRun = server.paste(service.replace(/^sudo /, '').replace('install', 'install --dry-run --user'))
    t.equal((await dryRun.exited).code, 0, dryRun.stderr)
    t.match(dryRun.stdout, /relay .*--bind-host 0\.0\.0\.0 --public-host localhost --region eu-west/)
  })

  // Another relay may have the usual port on the machine of this test.
  server.paste(`${start} --data-port 0`)
  await dialog.getByText('New tunnels can use it').waitFor()
  t.strictSame(await violations(page), [])
  await dialog.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('row').filter({ hasText: 'eu-west' }).getByText('Online').waitFor()
  t.equal((await relays(dashboard)).length, 1)
})

t.test('whoever may not add one is told whose business it is', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { page } = await dashboard.open({ as: await dashboard.newPerson(), path: '/relays' })
  await page.getByText('An administrator of this panel can add it').waitFor()
  await shows(t, () => page.getByRole('button', { name: /relay/ }).count(), 0)
  t.strictSame(await violations(page), [])
})

t.test('states in words', options, async (t) => {
  const dashboard = await startDashboard(t)
  const relay = {
    id: 'one',
    kind: 'standalone',
    name: 'one',
    host: '2001:db8::1',
    dataPort: 7350,
    encryption: 'tls',
    hostGroup: 'one',
    region: null,
    labels: { provider: 'a small host', disk: 'slow' },
    capacity: 10,
    version: null,
    online: true,
    draining: true,
    organisationId: null,
    lastSeenAt: new Date().toISOString(),
    load: { allocations: 9, devices: 3, connections: 1_234 },
  }
  const week = new Date(Date.now() - 7 * 86_400_000).toISOString()
  const items = [
    relay,
    { ...relay, id: 'two', name: 'two', online: false, draining: false, lastSeenAt: week, capacity: null },
    { ...relay, id: 'three', name: 'three', kind: 'embedded', online: false, encryption: 'off', capacity: 0 },
  ]
  const body = Object.entries({ devices: [], allocations: [], relays: items })
    .map(([name, list]) => `event: ${name}\ndata: ${JSON.stringify({ reset: true, items: list, removed: [] })}\n\n`)
    .join('')
  await looksWell(t, dashboard, { as: dashboard.admin, path: '/account' }, async ({ page }) => {
    await page.route('**/api/tunnel/events', (route) => route.fulfill({ contentType: 'text/event-stream', body }))
    await page.goto(`${dashboard.url}/relays`)
    await rowOf(page, 'one').getByText('Draining').waitFor()
    await page.getByText('Lets its players finish and takes no new tunnels.').waitFor()
    await page.getByText('[2001:db8::1]:7350').first().waitFor()
    await page.getByText('provider: a small host').first().waitFor()
    await page.getByText('1,234').first().waitFor()
    await rowOf(page, 'two').getByText('Gone').waitFor()
    await page.getByText('If it is not to come back, delete its device.').waitFor()
    await rowOf(page, 'three').getByText('Not encrypted').waitFor()
    await page.getByText('It comes back with the panel’s process').waitFor()
  })
})
