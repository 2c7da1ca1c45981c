import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { type Dashboard, missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { looksWell } from '../../support/dashboard/looks.js'
import { boxText, machine } from '../../support/dashboard/shell.js'
import { forgets, shows } from '../../support/dashboard/shows.js'
import { until } from '../../support/deadline.js'
import { startAgent } from '../../support/tunnel/agents.js'
import { newAllocation, newDevice, type TestDevice } from '../../support/tunnel/devices.js'
import { echoService, join as joinGame } from '../../support/tunnel/players.js'

const options = { skip: skipWithout('Chromium', missingChromium()) }

async function named(dashboard: Dashboard, name: string, wishes = {}): Promise<TestDevice> {
  const device = await newDevice(dashboard, wishes)
  await dashboard.ok('PATCH', `/api/tunnel/devices/${device.id}`, { bearer: dashboard.admin.token, body: { name } })
  return device
}

const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

t.test('an empty list leads to the first device, in three steps', options, async (t) => {
  const dashboard = await startDashboard(t)
  await looksWell(t, dashboard, { as: dashboard.admin, path: '/devices' }, ({ page }) =>
    page.getByText('No devices yet').waitFor(),
  )
  const { page } = await dashboard.open({ as: dashboard.admin, path: '/devices' })
  await page.getByRole('button', { name: 'Add the first device' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a device' })
  const home = await machine(t)
  const enrolling = home.paste(await boxText(page, 'Command for the machine at home'))
  await dialog.getByRole('button', { name: /^Yes, approve/ }).click()
  t.equal((await enrolling.exited).code, 0, enrolling.stderr)
  home.paste(await boxText(page, 'Command that starts the agent'))
  await dialog.getByRole('link', { name: 'Create a tunnel to it' }).waitFor()
  t.strictSame(await violations(page), [])
  await dialog.getByRole('button', { name: 'Done' }).click()
  await rowOf(page, 'Online').waitFor()
  // Once more: what is there already is not taken for the new one.
  await page.getByRole('button', { name: 'Add a device' }).click()
  await boxText(page, 'Command for the machine at home')
  await looksWell(t, dashboard, { as: dashboard.admin, path: '/devices' }, async (visit) => {
    await visit.page.getByRole('button', { name: 'Add a device' }).click()
    await boxText(visit.page, 'Command for the machine at home')
  })
})

t.test('devices on a list', options, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const { admin } = dashboard
  const person = await dashboard.newPerson()

  t.test('with their state, which changes by itself', async (t) => {
    const attic = await named(dashboard, 'attic', { ownerId: person.id })
    await dashboard.ok('POST', '/api/tunnel/device/start', { body: { name: 'laptop' } })
    const { page } = await dashboard.open({ as: admin, path: '/devices' })
    await rowOf(page, 'attic').getByText('Offline').waitFor()
    await rowOf(page, 'attic').getByText('never').waitFor()
    await rowOf(page, 'attic').getByText(person.email).waitFor()
    await rowOf(page, 'laptop').getByText('Waits for approval').waitFor()
    await shows(t, () => rowOf(page, 'laptop').innerText(), /[A-Z0-9]{4}-[A-Z0-9]{4}/)
    await shows(t, () => page.getByRole('row').nth(1).innerText(), /laptop/, 'who waits comes first')
    const { channel } = startAgent(t, dashboard.url, attic.token)
    await rowOf(page, 'attic').getByText('Online').waitFor()
    await rowOf(page, 'attic').getByText('now', { exact: true }).waitFor()
    await looksWell(t, dashboard, { as: admin, path: '/devices' }, (visit) => rowOf(visit.page, 'attic').waitFor())
    await channel.stop()
    await rowOf(page, 'attic').getByText('Offline').waitFor()
    await shows(
      t,
      () => rowOf(page, 'laptop').getByRole('link', { name: 'Approve or deny laptop' }).getAttribute('href'),
      `/tunnel/verify?user_code=${(await rowOf(page, 'laptop').locator('code').innerText()).trim()}`,
    )
    // Who owns one sees that, and nobody else's.
    const { page: own } = await dashboard.open({ as: person, path: '/devices' })
    await rowOf(own, 'attic').getByText('You').waitFor()
    await shows(t, () => own.getByRole('row').count(), 2)
  })

  t.test('gets another name', async (t) => {
    await named(dashboard, 'old name')
    const { page } = await dashboard.open({ as: admin, path: '/devices' })
    await page.getByRole('button', { name: 'Rename old name' }).click()
    const dialog = page.getByRole('dialog', { name: 'Rename old name' })
    const name = dialog.getByLabel('Name')
    await name.waitFor()
    t.strictSame(await violations(page), [])
    await name.fill('')
    await dialog.getByRole('button', { name: 'Rename' }).click()
    t.equal(await name.evaluate((element: HTMLInputElement) => element.validity.valueMissing), true)
    await name.fill('new name')
    await page.context().setOffline(true)
    await dialog.getByRole('button', { name: 'Rename' }).click()
    await dialog.getByRole('alert').filter({ hasText: 'cannot be reached' }).waitFor()
    await page.context().setOffline(false)
    await dialog.getByRole('button', { name: 'Rename' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await rowOf(page, 'new name').waitFor()
    await shows(t, () => rowOf(page, 'old name').count(), 0)
  })

  t.test('goes with its tunnels, as the dialog has said', async (t) => {
    const device = await named(dashboard, 'doomed')
    const tunnel = await newAllocation(dashboard, device, { localPort: await echoService(t), name: 'Survival' })
    const other = await newAllocation(dashboard, device, { protocol: 'udp' })
    await startAgent(t, dashboard.url, device.token).ready()
    const player = await joinGame(t, tunnel.port)
    await player.echo('hello')
    const { page } = await dashboard.open({ as: admin, path: '/devices' })
    await page.getByRole('button', { name: 'Delete doomed' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete doomed' })
    await dialog.getByText('Deleted with it: 2 tunnels, with 1 player on them now.').waitFor()
    await dialog.getByText(`tcp localhost:${tunnel.port}`).waitFor()
    await dialog.getByText(`udp localhost:${other.port}`).waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    t.equal(player.isGone(), false)
    await page.getByRole('button', { name: 'Delete doomed' }).click()
    await dialog.getByRole('button', { name: 'Delete the device' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await player.closed
    await shows(t, () => rowOf(page, 'doomed').count(), 0)
    // It is gone while somebody else still looks at it.
    const again = await named(dashboard, 'twice')
    await page.getByRole('button', { name: 'Delete twice' }).click()
    await page.route('**/api/tunnel/events', (route) => route.abort())
    await dashboard.ok('DELETE', `/api/tunnel/devices/${again.id}`, { bearer: admin.token })
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the device' }).click()
    await page.getByRole('alert').filter({ hasText: 'There is no such device' }).waitFor()
  })

  t.test('gets a new token: shown once, and good when it is put where the page says', async (t) => {
    const home = await machine(t)
    const enrolling = home.paste(
      `curl -fsSLO ${dashboard.url}/sallyport.mjs && node sallyport.mjs enroll --panel ${dashboard.url} --name shed`,
    )
    const [userCode] = await enrolling.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)
    await dashboard.ok('POST', '/api/tunnel/device/approve', { bearer: admin.token, body: { userCode } })
    await enrolling.exited
    const before = home.paste('node sallyport.mjs run')
    const { page } = await dashboard.open({ as: admin, path: '/devices' })
    await rowOf(page, 'shed').getByText('Online').waitFor()

    await page.getByRole('button', { name: 'New token for shed' }).click()
    await page.getByText('The old token stops working at once').waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('button', { name: 'Make a new token' }).click()
    const token = await boxText(page, 'Token')
    t.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    t.strictSame(await violations(page), [])
    t.equal((await before.exited).code, 3, 'the agent is cut at once')
    await page.keyboard.press('Escape')
    t.equal(await boxText(page, 'Token'), token, 'it does not go by accident')

    // As the dialog says: in the file, behind "token".
    const config = join(home.home, '.config/sallyport/agent.json')
    await page.getByText('.config/sallyport/agent.json').waitFor()
    const { token: old } = await home.enrolment()
    await writeFile(config, (await readFile(config, 'utf8')).replace(old, token))
    home.paste('node sallyport.mjs run')
    await page.getByLabel(/The machine has the token/).check()
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await rowOf(page, 'shed').getByText('Online').waitFor()
    await forgets(t, page, token)
  })

  t.test('whoever only looks changes nothing', async (t) => {
    await named(dashboard, 'museum')
    const reader = await dashboard.newPerson(['tunnels:read'])
    const { page } = await dashboard.open({ as: reader, path: '/devices' })
    await rowOf(page, 'museum').getByText('Someone else').waitFor()
    await shows(t, () => page.getByRole('button', { name: /Rename|New token|Delete/ }).count(), 0)
    t.strictSame(await violations(page), [])
  })
})

t.test('a thousand devices, long and strange names', options, async (t) => {
  const dashboard = await startDashboard(t)
  const { page } = await dashboard.open({ as: dashboard.admin, path: '/account', width: 390 })
  const names = ['محمد \u202e', `${'long'.repeat(25)}`, '<b>bold</b>']
  const items = Array.from({ length: 1_000 }, (_, index) => ({
    id: crypto.randomUUID(),
    name: names[index] ?? `device ${index}`,
    kind: 'client',
    approved: true,
    userCode: 'BBBB-2222',
    expiresAt: null,
    online: index % 2 === 0,
    lastSeenAt: null,
    version: '0.1.0',
    organisationId: null,
    ownerId: dashboard.admin.id,
    createdAt: new Date().toISOString(),
  }))
  const lists = { devices: items, allocations: [], relays: [] }
  const body = Object.entries(lists)
    .map(([name, list]) => `event: ${name}\ndata: ${JSON.stringify({ reset: true, items: list, removed: [] })}\n\n`)
    .join('')
  await page.route('**/api/tunnel/events', (route) => route.fulfill({ contentType: 'text/event-stream', body }))
  await page.goto(`${dashboard.url}/devices`)
  await page.getByText('200 of 1,000 are shown').waitFor()
  await page.getByText('<b>bold</b>').waitFor()
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  t.ok((await page.evaluate<number>(overflow)) <= 0)
  await page.getByRole('searchbox').fill('DEVICE 999')
  await until('the one', async () => (await page.getByRole('row').count()) === 2)
  await page.getByRole('searchbox').fill('no such thing')
  await page.getByText('No device matches.').waitFor()
  t.strictSame(await violations(page), [])
})
