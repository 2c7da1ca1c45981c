import { skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { violations } from '../../support/dashboard/accessibility.js'
import { missingChromium, startDashboard } from '../../support/dashboard/dashboard.js'
import { shows } from '../../support/dashboard/shows.js'
import { until, within } from '../../support/deadline.js'
import { startAgent } from '../../support/tunnel/agents.js'
import { newAllocation, newDevice, setQuotas } from '../../support/tunnel/devices.js'
import { askTcp, labelledService } from '../../support/tunnel/labelled-service.js'
import { echoService, join, listens } from '../../support/tunnel/players.js'

t.test('a tunnel and what can be changed of it', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const dashboard = await startDashboard(t, { RELAY_EMBEDDED: 'true' })
  const { admin } = dashboard
  await setQuotas(dashboard, { allocationsPerUser: 1_000 })
  const device = await newDevice(dashboard)
  const echo = await echoService(t)
  await newAllocation(dashboard, device, { localPort: echo })
  await startAgent(t, dashboard.url, device.token).ready()

  const read = async (id: number) => {
    const { body } = await dashboard.ok('GET', '/api/tunnel/allocations', { bearer: admin.token })
    return body.allocations.find((one: { id: number }) => one.id === id)
  }
  const open = async (id: number, more: object = {}) => {
    const visit = await dashboard.open({ as: admin, path: `/tunnels/${id}`, ...more })
    await visit.page.getByRole('form', { name: 'Limits, and who may join' }).waitFor()
    return visit
  }

  t.test('every limit is saved, shown again, and lifted by emptying it', async (t) => {
    const { id } = await newAllocation(dashboard, device)
    const { page } = await open(id)
    const form = page.getByRole('form', { name: 'Limits, and who may join' })
    const field = (label: string) => form.getByLabel(label, { exact: true })
    const numbers = {
      'Players at once': '20',
      'Players at once from one address': '3',
      'New players per second': '5',
      'Idle time in seconds': '600',
      Bandwidth: '10',
    }
    for (const [label, value] of Object.entries(numbers)) await field(label).fill(value)
    await field('Unit of the bandwidth').selectOption('Mbit/s')
    await field('PROXY protocol').selectOption('v1')
    await field('Allow only these addresses').fill('203.0.113.9\n2001:DB8:0::/32')
    await field('Deny these addresses').fill('203.0.113.0/28')
    await form.getByRole('button', { name: 'Save limits' }).click()
    await page.getByText('Saved, and in force').waitFor()
    t.strictSame((await read(id)).options, {
      maxConnections: 20,
      maxConnectionsPerSource: 3,
      connectionRate: 5,
      idleTimeout: 600,
      bandwidth: 1_250_000,
      proxyProtocol: 'v1',
      allow: ['203.0.113.9', '2001:db8::/32'],
      deny: ['203.0.113.0/28'],
    })
    await until('one spelling', async () =>
      (await field('Allow only these addresses').inputValue()).endsWith('2001:db8::/32'),
    )
    await page.reload()
    t.equal(await field('Bandwidth').inputValue(), '1.25')
    t.equal(await field('Unit of the bandwidth').inputValue(), 'MB/s')
    t.equal(await field('PROXY protocol').inputValue(), 'v1')
    t.equal(await field('Players at once').inputValue(), '20')
    t.strictSame(await violations(page), [])

    // What somebody else changes meanwhile stays as they have it.
    await dashboard.ok('PATCH', `/api/tunnel/allocations/${id}`, {
      bearer: admin.token,
      body: { options: { connectionRate: 7 } },
    })
    await until('the new rate', async () => (await field('New players per second').inputValue()) === '7')
    for (const label of ['Players at once', 'Idle time in seconds', 'Bandwidth', 'Deny these addresses'])
      await field(label).fill('')
    await field('PROXY protocol').selectOption('none')
    await form.getByRole('button', { name: 'Save limits' }).click()
    await until('lifted limits', async () => (await read(id)).options.maxConnections === undefined)
    t.strictSame((await read(id)).options, {
      maxConnectionsPerSource: 3,
      connectionRate: 7,
      allow: ['203.0.113.9', '2001:db8::/32'],
    })
  })

  t.test('what cannot be is said at its field and its line', async (t) => {
    const { id } = await newAllocation(dashboard, device)
    const { page } = await open(id)
    const form = page.getByRole('form', { name: 'Limits, and who may join' })
    await form.getByLabel('Allow only these addresses').fill('1.2.3.4\n\n  2.3.4.5.6\nfe80::1%eth0\n::/129\n1.2.3.4/24')
    await form.getByLabel('Bandwidth', { exact: true }).fill('9999999')
    await form.getByRole('button', { name: 'Save limits' }).click()
    const said = await form.getByText(/Line 3/).innerText()
    t.match(said, /Line 3: “2\.3\.4\.5\.6”.*Line 4: “fe80::1%eth0”.*Line 5: “::\/129”/)
    t.notMatch(said, /Line [126]/)
    await form.getByText('From 1.024 kB/s to 1,000,000 MB/s.').waitFor()
    t.strictSame(await violations(page), [])
    t.strictSame((await read(id)).options, {}, 'nothing was sent')

    await form.getByLabel('Bandwidth', { exact: true }).fill('')
    await form.getByLabel('Allow only these addresses').fill('1.2.3.4\n\n1.2.3.5')
    const problem = {
      status: 400,
      error: 'validation_failed',
      title: 'Bad Request',
      detail: 'options/allow/1: not an address or CIDR range',
      errors: [{ path: '/options/allow/1', message: 'not an address or CIDR range' }],
    }
    await page.route(`**/api/tunnel/allocations/${id}`, (route) => route.fulfill({ status: 400, json: problem }), {
      times: 1,
    })
    await form.getByRole('button', { name: 'Save limits' }).click()
    await form.getByText('Line 3, “1.2.3.5”: not an address or CIDR range.').waitFor()

    await page.route(`**/api/tunnel/allocations/${id}`, (route) => route.abort(), { times: 1 })
    await form.getByRole('button', { name: 'Save limits' }).click()
    await form.getByRole('alert').getByText('cannot be reached').waitFor()
    await form.getByRole('button', { name: 'Save limits' }).click()
    await page.getByText('Saved, and in force').waitFor()
    t.strictSame((await read(id)).options, { allow: ['1.2.3.4', '1.2.3.5'] })
  })

  t.test('a player who is denied while he plays is cut', async (t) => {
    const { id, port } = await newAllocation(dashboard, device, { localPort: echo })
    const player = await join(t, port)
    await player.echo('hello')
    const { page } = await open(id)
    await page.getByLabel('Deny these addresses').fill('127.0.0.0/8')
    await page.getByRole('button', { name: 'Save limits' }).click()
    await within('the cut', player.closed)
  })

  t.test('another local service: those who join from then on come there', async (t) => {
    const [first, second] = [await labelledService(t, 'first'), await labelledService(t, 'second')]
    const { id, port } = await newAllocation(dashboard, device, { localPort: first.port, name: 'Moving' })
    t.equal(await askTcp(t, port, 'where'), 'first:where')
    const { page } = await open(id)
    const form = page.getByRole('form', { name: 'Name and local service' })
    await form.getByLabel('Local port').fill(String(second.port))
    await form.getByLabel('Name').fill('')
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { level: 1, name: `localhost:${port}` }).waitFor()
    await until('the new service', async () => (await askTcp(t, port, 'where')) === 'second:where')
    await form.getByLabel('Local host').fill('not a host')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByText('This is neither a host name nor an IP address.').waitFor()
    await shows(t, () => form.getByLabel('Local host').getAttribute('aria-invalid'), 'true')
    t.strictSame(await violations(page), [])
  })

  t.test('of a pair both halves are changed, unless one wants it otherwise', async (t) => {
    const { body } = await dashboard.ok('POST', '/api/tunnel/allocations', {
      bearer: device.token,
      body: { protocol: 'both', localPort: 27_015 },
    })
    const [tcp, udp] = body.allocations
    const { page } = await open(tcp.id)
    const form = page.getByRole('form', { name: 'Limits, and who may join' })
    await form.getByLabel('Players at once', { exact: true }).fill('4')
    await form.getByRole('button', { name: 'Save limits' }).click()
    await page.getByText('Saved, and in force').waitFor()
    await until('both', async () => {
      const both = [await read(tcp.id), await read(udp.id)]
      return both.every(({ options }) => options.maxConnections === 4)
    })
    await form.getByLabel('PROXY protocol').selectOption('v1')
    await form.getByRole('button', { name: 'Save limits' }).click()
    await until('words', async () => (await form.getByLabel('PROXY protocol').getAttribute('aria-invalid')) === 'true')
    t.equal((await read(tcp.id)).options.proxyProtocol, undefined, 'what UDP cannot have, TCP has not got either')
    await form.getByLabel('Save the same changes for UDP on this port').uncheck()
    await form.getByRole('button', { name: 'Save limits' }).click()
    await until('version 1 for TCP', async () => (await read(tcp.id)).options.proxyProtocol === 'v1')
    t.equal((await read(udp.id)).options.proxyProtocol, undefined)

    // One after the other.
    const statuses = async () => `${(await read(tcp.id)).status} ${(await read(udp.id)).status}`
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    await until('both closed', async () => (await statuses()) === 'closed closed')
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await until('both open', async () => (await statuses()) === 'open open')
  })

  t.test('pausing and deleting say whom they cut', async (t) => {
    const { id, port } = await newAllocation(dashboard, device, { localPort: echo, name: 'In use' })
    const { page } = await open(id, { width: 390, colorScheme: 'dark' })
    let player = await join(t, port)
    await player.echo('hello')
    await page.getByText('1 ever').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('1 player is cut.').waitFor()
    t.strictSame(await violations(page), [])
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await within('the cut', player.closed)
    await page.getByText('Nobody can join until it is resumed.').waitFor()
    t.equal(await listens(port), false)
    await page.getByRole('button', { name: 'Resume' }).click()
    await until('the port', () => listens(port))

    await page.getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    player = await join(t, port)
    await player.echo('hello')
    await dialog.getByText('1 player is cut.').waitFor()
    await dialog.getByText(new RegExp(`Port ${port} is kept for`)).waitFor()
    t.strictSame(await violations(page), [])
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    t.equal(player.isGone(), false)
    await page.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await within('the cut', player.closed)
    await page.waitForURL(/\/tunnels$/)
    await page.getByRole('link', { name: `localhost:${port}` }).waitFor({ state: 'detached' })
    t.equal(await read(id), undefined)
    const again = await newAllocation(dashboard, device, { localPort: echo })
    t.equal(again.port, port, 'kept for the device')
  })

  t.test('a tunnel that somebody else deletes says so, and so does one that never was', async (t) => {
    const { id, port } = await newAllocation(dashboard, device, { name: 'Short-lived' })
    const { page } = await open(id)
    await dashboard.ok('DELETE', `/api/tunnel/allocations/${id}`, { bearer: admin.token })
    await page.getByText(`The tunnel localhost:${port} has been deleted`).waitFor()
    t.strictSame(await violations(page), [])
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'No such tunnel' }).waitFor()
    for (const strange of ['999999999', 'abc', '-1', '%00', '1e3']) {
      await page.goto(`${dashboard.url}/tunnels/${strange}`)
      await page.getByRole('heading', { level: 1, name: 'No such tunnel' }).waitFor()
    }
    t.strictSame(await violations(page), [])
    await page.getByRole('link', { name: 'All tunnels' }).click()
    await page.waitForURL(/\/tunnels$/)
  })
})
