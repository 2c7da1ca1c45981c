import { createServer } from 'node:net'
import { skipWithout } from '@sallyport/core/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { type Dashboard, missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { shows } from '../../support/dashboard/shows.js'
import { event, until } from '../../support/deadline.js'
import { startAgent } from '../../support/tunnel/agents.js'
import { newAllocation, newDevice, setQuotas, type TestDevice } from '../../support/tunnel/devices.js'
import { echoService, join } from '../../support/tunnel/players.js'

const options = { skip: skipWithout('Chromium', missingChromium()) }
/** Of the list with 500 tunnels, from the request to its rows; on a loaded machine. */
const mostOpenMs = 6_000

async function rename(panel: Dashboard, { id }: TestDevice, name: string): Promise<void> {
  await panel.ok('PATCH', `/api/tunnel/devices/${id}`, { bearer: panel.admin.token, body: { name } })
}

async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>(
    'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)',
  )
}

/** Answers the next request for a new tunnel as a panel would that refuses it. */
async function refuseNext(page: Page, status: number, error: string, detail: string, headers = {}): Promise<void> {
  const body = JSON.stringify({ type: 'about:blank', title: error, status, detail, error, requestId: 'test' })
  await page.route(
    '**/api/tunnel/allocations',
    (route) => route.fulfill({ status, headers: { 'content-type': 'application/problem+json', ...headers }, body }),
    { times: 1 },
  )
}

t.test('without a device one is told what comes first', options, async (t) => {
  const dashboard = await startDashboard(t)
  const person = await dashboard.newPerson()
  const { page } = await dashboard.open({ as: person, path: '/tunnels' })
  await page.getByText('No tunnels yet').waitFor()
  t.strictSame(await violations(page), [])
  await page.getByRole('button', { name: 'Create tunnel' }).click()
  await page.getByText('Connect a device first').waitFor()
  t.strictSame(await violations(page), [])
  await shows(
    t,
    () => page.getByRole('dialog').getByRole('link', { name: 'Go to devices' }).getAttribute('href'),
    '/devices',
  )
  await page.keyboard.press('Escape')
  await shows(t, () => page.getByRole('dialog').count(), 0)

  const device = { name: 'tower' }
  const { body: started } = await dashboard.ok('POST', '/api/tunnel/device/start', {
    bearer: person.token,
    body: device,
  })
  t.ok(started.userCode)
  await page.getByRole('button', { name: 'Create tunnel' }).click()
  await page.getByText('Your device waits for approval').waitFor()
  await shows(t, () => page.getByRole('link', { name: 'Enter the code' }).getAttribute('href'), '/tunnel/verify')
})

t.test('while tunnels are switched off, the page says so', options, async (t) => {
  const dashboard = await startDashboard(t, { TUNNELS_ENABLED: 'false' })
  const { page } = await dashboard.open({ as: dashboard.admin, path: '/tunnels' })
  await page.getByText('Tunnels are switched off').waitFor()
  await shows(t, () => page.getByRole('button', { name: 'Create tunnel' }).count(), 0)
  t.strictSame(await violations(page), [])
})

t.test('tunnels on a list and new ones', options, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const { admin } = dashboard
  await setQuotas(dashboard, { allocationsPerUser: 1_000 })
  const device = await newDevice(dashboard)
  await rename(dashboard, device, 'attic')
  await newAllocation(dashboard, device, { name: 'The first' })
  const { ready } = startAgent(t, dashboard.url, device.token)
  await ready()

  t.test('three fields are enough: a game fills in port and protocol, the only device is chosen', async (t) => {
    const { page } = await dashboard.open({ as: admin, path: '/tunnels' })
    await page.getByRole('button', { name: 'Create tunnel' }).click()
    const form = page.getByRole('form', { name: 'New tunnel' })
    await shows(t, () => form.getByLabel('Device').inputValue(), device.id)
    await form.getByLabel('Game').selectOption('Minecraft: Bedrock Edition')
    await shows(t, () => form.getByLabel('Port', { exact: true }).inputValue(), '19132')
    await shows(t, () => form.getByLabel('UDP', { exact: true }).isChecked(), true)
    await form.getByLabel('Game').selectOption('Minecraft: Java Edition')
    await shows(t, () => form.getByLabel('Port', { exact: true }).inputValue(), '25565')
    await shows(t, () => form.getByLabel('TCP', { exact: true }).isChecked(), true)
    await shows(t, () => form.getByLabel('Local host').isVisible(), false, 'the rest is folded away')
    t.strictSame(await violations(page), [])
    await form.getByRole('button', { name: 'Create tunnel' }).click()
    await page.waitForURL(/\/tunnels\/\d+$/)
    const id = new URL(page.url()).pathname.split('/').at(-1)
    const { body } = await dashboard.ok('GET', '/api/tunnel/allocations', { bearer: admin.token })
    const made = body.allocations.find((one: { id: number }) => String(one.id) === id)
    t.match(made, { protocol: 'tcp', localPort: 25_565, localHost: '127.0.0.1', deviceId: device.id, status: 'open' })
    await page.getByRole('heading', { level: 1, name: `${made.host}:${made.port}` }).waitFor()
  })

  t.test('TCP and UDP of one number are one line, with everything that is under More', async (t) => {
    const { page } = await dashboard.open({ as: admin, path: '/tunnels' })
    await page.getByRole('button', { name: 'Create tunnel' }).click()
    const form = page.getByRole('form', { name: 'New tunnel' })
    await form.getByLabel('Port', { exact: true }).fill('27015')
    await form.getByLabel('TCP and UDP').check()
    await form.getByText('More', { exact: true }).click()
    await form.getByLabel('Name').fill('Both of them')
    await form.getByLabel('Local host').fill('localhost')
    await form.getByLabel('Players at once', { exact: true }).fill('12')
    await form.getByLabel('Bandwidth', { exact: true }).fill('2.5')
    await form.getByLabel('Deny these addresses').fill('198.51.100.0/24\n\n2001:db8::/32')
    await shows(t, () => form.getByLabel('PROXY protocol').locator('option').count(), 2, 'version 1 knows no UDP')
    t.strictSame(await violations(page), [])
    await form.getByRole('button', { name: 'Create tunnel' }).click()
    await page.waitForURL(/\/tunnels\/\d+$/)
    const { body } = await dashboard.ok('GET', '/api/tunnel/allocations', { bearer: admin.token })
    const made = body.allocations.filter((one: { name: string | null }) => one.name === 'Both of them')
    t.equal(made.length, 2)
    for (const one of made) {
      t.strictSame(one.options, {
        maxConnections: 12,
        bandwidth: 2_500_000,
        deny: ['198.51.100.0/24', '2001:db8::/32'],
      })
      t.equal(one.localHost, 'localhost')
    }
    await page.getByRole('link', { name: 'UDP' }).click()
    const udp = made.find((one: { protocol: string }) => one.protocol === 'udp')
    await page.waitForURL(new RegExp(`/tunnels/${udp.id}$`))

    await page.getByRole('link', { name: 'Tunnels' }).click()
    const row = page.getByRole('row').filter({ hasText: 'Both of them' })
    await row.getByText('TCP + UDP').waitFor()
    await shows(t, () => row.count(), 1)
    await shows(t, () => row.innerText(), /attic\s+online[\s\S]*localhost:27015[\s\S]*Open/)
  })

  t.test('the address is copied', async (t) => {
    const { port } = await newAllocation(dashboard, device, { localPort: 4_242 })
    const { page, context } = await dashboard.open({ as: admin, path: '/tunnels' })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: `Copy localhost:${port}` }).click()
    await shows(t, () => page.evaluate('navigator.clipboard.readText()'), `localhost:${port}`)
  })

  t.test('players and what they send are on the list within seconds, and gone again', async (t) => {
    const tunnel = await newAllocation(dashboard, device, { localPort: await echoService(t), name: 'Echo' })
    const { page } = await dashboard.open({ as: admin, path: '/tunnels' })
    const row = page.getByRole('row').filter({ hasText: 'Echo' })
    const cell = (index: number) => row.getByRole('cell').nth(index).innerText()
    await row.waitFor()
    t.equal(await cell(3), '0')
    const players = [await join(t, tunnel.port), await join(t, tunnel.port)]
    const talking = setInterval(() => {
      for (const { socket } of players) socket.write('x'.repeat(5_000))
    }, 50)
    t.teardown(() => clearInterval(talking))
    await until('two players on the list', async () => (await cell(3)) === '2', 10_000)
    await until('a rate in', async () => / (k|M)B\/s$/.test(await cell(4)), 10_000)
    await until('a rate out', async () => / (k|M)B\/s$/.test(await cell(5)), 10_000)
    clearInterval(talking)
    for (const { socket } of players) socket.destroy()
    await until('nobody', async () => (await cell(3)) === '0' && (await cell(4)) === '0 B/s', 10_000)
  })

  t.test('what is wrong is said in words', async (t) => {
    const nobodyThere = await newAllocation(dashboard, device, { localPort: 1, name: 'Nobody serves' })
    const away = await newDevice(dashboard)
    await rename(dashboard, away, 'cellar')
    await newAllocation(dashboard, away, { name: 'Far away' })
    const paused = await newAllocation(dashboard, device, { name: 'Not now' })
    const { page } = await dashboard.open({ as: admin, path: '/tunnels' })
    const row = (name: string) => page.getByRole('row').filter({ hasText: name })
    await row('Far away').getByText('Device offline').waitFor()
    await row('Nobody serves').getByText('Open').waitFor()

    await dashboard.ok('POST', `/api/tunnel/allocations/${paused.id}/close`, { bearer: admin.token })
    await row('Not now').getByText('Paused').waitFor()
    const squatter = createServer().listen(paused.port, '127.0.0.1')
    await event(squatter, 'listening')
    t.teardown(() => squatter.close())
    await dashboard.ok('POST', `/api/tunnel/allocations/${paused.id}/open`, { bearer: admin.token })
    await row('Not now').getByText(`cannot open port ${paused.port}: another program on its machine has it`).waitFor()
    await row('Not now').getByText('Failed').waitFor()
    await (await join(t, nobodyThere.port)).closed
    await row('Nobody serves').getByText('The service on your machine refuses connections.').waitFor()
    t.strictSame(await violations(page), [])
    await dashboard.ok('DELETE', `/api/tunnel/allocations/${paused.id}`, { bearer: admin.token })
    await row('Not now').waitFor({ state: 'detached' })
  })

  t.test('a refusal stands at the field that it is about', async (t) => {
    const { page } = await dashboard.open({ as: admin, path: '/tunnels' })
    await page.getByRole('button', { name: 'Create tunnel' }).click()
    const form = page.getByRole('form', { name: 'New tunnel' })
    const create = form.getByRole('button', { name: 'Create tunnel' })
    /** What stands at a field, which has the focus. */
    const saidAt = async (label: string, words: RegExp) => {
      const field = form.getByLabel(label, { exact: true })
      await until(`words at ${label}`, async () => (await field.getAttribute('aria-invalid')) === 'true')
      await form.getByText(words).first().waitFor()
      const name = await field.getAttribute('name')
      const focused = () => page.evaluate<string>('document.activeElement?.getAttribute("name")')
      await until(`the focus in ${label}`, async () => (await focused()) === name)
      t.strictSame(await violations(page), [], label)
    }
    await form.getByLabel('Device').selectOption({ label: 'attic' })
    await form.getByLabel('Port', { exact: true }).fill('70000')
    await create.click()
    await shows(t, () => page.locator('input[name=localPort]:invalid').count(), 1)
    await form.getByLabel('Port', { exact: true }).fill('5555')

    await form.getByText('More', { exact: true }).click()
    const { port } = await newAllocation(dashboard, device, { name: 'First come' })
    await form.getByLabel('Public port').fill(String(port))
    await form.getByText('More', { exact: true }).click()
    await create.click()
    await saidAt('Public port', new RegExp(`The port ${port} is taken`))
    await form.getByLabel('Public port').fill('80')
    await create.click()
    await saidAt('Public port', /The port is not within \d+-\d+/)
    await form.getByLabel('Public port').fill('')
    await form.getByLabel('Local host').fill('no host at all')
    await create.click()
    await saidAt('Local host', /neither a host name nor an IP address/)
    await form.getByLabel('Local host').fill('')
    await form.getByLabel('Deny these addresses').fill('10.0.0.1\n\nten.0.0.2\n10.0.0.0/33')
    await create.click()
    await saidAt('Deny these addresses', /Line 3: “ten\.0\.0\.2” is neither.*Line 4: “10\.0\.0\.0\/33”/)
    await form.getByLabel('Deny these addresses').fill('')
    await form.getByLabel('Bandwidth', { exact: true }).fill('0.0001')
    await create.click()
    await saidAt('Bandwidth', /From 1\.024 kB\/s/)
    await form.getByLabel('Bandwidth', { exact: true }).fill('')

    await setQuotas(dashboard, { allocationsPerUser: 1 })
    await create.click()
    await saidAt('Device', /The quota of 1 allocations is used up/)
    await setQuotas(dashboard, { allocationsPerUser: 1_000 })

    await refuseNext(page, 503, 'no_ports_available', 'No public port is free')
    await create.click()
    await saidAt('Public port', /All public ports are taken/)
    await refuseNext(page, 503, 'no_relay_available', 'No relay is there to serve an allocation')
    await create.click()
    await form.getByRole('alert').getByText('No relay is there').waitFor()
    await refuseNext(page, 403, 'allocation_refused', 'The allocation is refused: pay the rent first')
    await create.click()
    await form.getByRole('alert').getByText('The tunnel is refused: pay the rent first').waitFor()
    await refuseNext(page, 503, 'hook_unavailable', 'Whether this is permitted cannot be found out at the moment')
    await create.click()
    await form.getByRole('alert').getByText('cannot be found out').waitFor()
    await refuseNext(page, 429, 'rate_limited', 'Too many', { 'retry-after': '30' })
    await create.click()
    await form.getByRole('alert').getByText('Try again in 30 seconds').waitFor()
    await page.route('**/api/tunnel/allocations', (route) => route.abort(), { times: 1 })
    await create.click()
    await form.getByRole('alert').getByText('cannot be reached').waitFor()

    await create.click()
    await page.waitForURL(/\/tunnels\/\d+$/)
  })

  t.test('who may not change a tunnel sees it, and is offered nothing', async (t) => {
    const { id } = await newAllocation(dashboard, device, { name: 'To look at' })
    const reader = await dashboard.newPerson(['tunnels:read'])
    const { page } = await dashboard.open({ as: reader, path: `/tunnels/${id}` })
    await page.getByRole('heading', { level: 1, name: 'To look at' }).waitFor()
    for (const name of ['Pause', 'Delete', 'Save', 'Save limits']) {
      await shows(t, () => page.getByRole('button', { name, exact: true }).count(), 0, name)
    }
    await page.goto(`${dashboard.url}/tunnels`)
    await page.getByRole('button', { name: 'Create tunnel' }).click()
    await page.getByText('Connect a device first').waitFor()
  })

  t.test('on a phone and in the dark, with long and foreign names', async (t) => {
    const other = await newDevice(dashboard)
    await rename(dashboard, other, 'W'.repeat(100))
    await newAllocation(dashboard, other, {
      name: 'شبكة الألعاب — خادم طويل الاسم جدا',
      localHost: 'fd00::1234:5678:9abc:def0',
    })
    await newAllocation(dashboard, other, { name: 'a-name-without-any-space-'.repeat(4).slice(0, 100) })
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        const { page, context } = await dashboard.open({ as: admin, path: '/tunnels', width, colorScheme })
        await page.getByRole('row').nth(3).waitFor()
        t.strictSame(await violations(page), [], `${colorScheme} at ${width}`)
        await shows(t, () => sidewaysScroll(page), 0, `no sideways scroll at ${width}`)
        await page.getByRole('button', { name: 'Create tunnel' }).click()
        await page.getByText('More', { exact: true }).click()
        t.strictSame(await violations(page), [], `the dialog in ${colorScheme} at ${width}`)
        await shows(t, () => sidewaysScroll(page), 0, `no sideways scroll with the dialog at ${width}`)
        await context.close()
      }
    }
  })
})

t.test('five hundred tunnels stay usable', options, async (t) => {
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8
  const from = 20_000 + slot * 1_250
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true', RELAY_PORT_RANGE: `${from}-${from + 599}` })
  await setQuotas(dashboard, { allocationsPerUser: 1_000 })
  const device = await newDevice(dashboard)
  for (let made = 0; made < 500; made += 25) {
    const batch = Array.from({ length: 25 }, (_, at) =>
      newAllocation(dashboard, device, { name: `Tunnel ${made + at}.` }),
    )
    await Promise.all(batch)
  }
  const { page } = await dashboard.open({ as: dashboard.admin, path: '/devices' })
  await page.getByRole('heading', { level: 1 }).waitFor()
  const begun = Date.now()
  await page.getByRole('link', { name: 'Tunnels', exact: true }).click()
  await page.getByText('500 tunnels; the newest 200 are shown.').waitFor()
  const drawnMs = Date.now() - begun
  await shows(t, () => page.getByRole('row').count(), 201)
  t.ok(drawnMs < mostOpenMs, `drawn in ${drawnMs} ms`)
  t.comment(`500 tunnels: drawn in ${drawnMs} ms`)

  const filtering = Date.now()
  await page.getByLabel('Filter tunnels').fill('tunnel 307.')
  await page.getByText('1 tunnel of 500.').waitFor()
  t.comment(`500 tunnels: filtered in ${Date.now() - filtering} ms`)
  await shows(t, () => page.getByRole('row').count(), 2)
  await page.getByLabel('Filter tunnels').fill('nothing like it')
  await page.getByText('No tunnel is like that.').waitFor()
  t.strictSame(await violations(page), [])
})
