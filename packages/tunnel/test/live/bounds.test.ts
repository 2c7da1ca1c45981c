import { connect, type Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { Database } from '@sallyport/core'
import t from 'tap'
import { openEvents } from '../support/event-client.js'
import { admin, type Panel, startPanel } from '../support/panel.js'
import { until } from '../support/until.js'
import { type TestUser, userHeader } from '../support/users.js'

const ann: TestUser = { id: 'ann' }

/** A client that sends a request and then reads nothing. */
async function deaf(panel: Panel, as: TestUser): Promise<Socket> {
  const { port, hostname } = new URL(panel.url)
  const socket = connect({ port: Number(port), host: hostname })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  const [[name, value] = []] = Object.entries(userHeader(as))
  socket.pause()
  socket.write(`GET /api/tunnel/events HTTP/1.1\r\nhost: x\r\n${name}: ${value}\r\n\r\n`)
  return socket
}

async function openStreams(panel: Panel): Promise<number> {
  const text = await (await fetch(`${panel.url}/metrics`)).text()
  return Number(/^sallyport_tunnel_live_streams (\d+)/m.exec(text)?.[1])
}

const many = 800

/** More than the sockets' own buffers hold when it is told a few times. */
async function withManyDevices(panel: Panel): Promise<{ renameAll(name: string): Promise<void> }> {
  const { sequelize } = panel.kernel.get(Database)
  await sequelize.query(
    `INSERT INTO tunnel_devices (id, name, kind, owner_id, user_code, device_code_hash, expires_at, approved_at)
     SELECT gen_random_uuid(), 'box ' || n, 'client', 'owner', n::text, n::text, now(), now()
     FROM generate_series(1, ${many}) n`,
  )
  const [{ id } = { id: '' }] = await panel.devices(admin)
  return {
    async renameAll(name) {
      await sequelize.query('UPDATE tunnel_devices SET name = $1', { bind: [name.padEnd(3_000, '.')] })
      await panel.call('PATCH', `/api/tunnel/devices/${id}`, { as: admin, json: { name } })
    },
  }
}

t.test('streams of one caller, and of all', async (t) => {
  const panel = await startPanel({ config: { relay: false, live: { maxStreamsPerPrincipal: 2, maxStreams: 3 } } })
  t.teardown(() => panel.stop())
  const hers = [await openEvents(panel.url, userHeader(ann)), await openEvents(panel.url, userHeader(ann))]
  const third = await openEvents(panel.url, userHeader(ann))
  t.equal(third.status, 429)
  t.equal(JSON.parse(third.body).error, 'too_many_streams')
  t.ok(Number(third.headers['retry-after']) >= 10)
  const bens = await openEvents(panel.url, userHeader({ id: 'ben' }))
  t.equal(bens.status, 200)
  const fourth = await openEvents(panel.url, userHeader({ id: 'eve' }))
  t.equal(fourth.status, 503)
  t.ok(Number(fourth.headers['retry-after']) >= 10)
  t.equal(await openStreams(panel), 3)
  hers[0]?.close()
  await until('there is room again', async () => (await openEvents(panel.url, userHeader(ann))).status === 200)
  bens.close()
})

t.test('a reader that takes nothing is told less, holds nobody up, and is cut in the end', async (t) => {
  const panel = await startPanel({ config: { relay: false, live: { stalledMs: 1_500, checkMs: 100 } } })
  t.teardown(() => panel.stop())
  const { renameAll } = await withManyDevices(panel)
  const sockets = await Promise.all(Array.from({ length: 3 }, () => deaf(panel, admin)))
  await until('they are there', async () => (await openStreams(panel)) === 3)
  const reader = await openEvents(panel.url, userHeader(admin))
  await reader.first()
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 20 && (await openStreams(panel)) > 1; round += 1) {
    await renameAll(`round ${round}`)
    const seen = () => [...reader.devices.values()].some(({ name }) => name === `round ${round}`)
    await until(`round ${round}`, seen, 20_000)
  }
  await until('only who reads is left', async () => (await openStreams(panel)) === 1)
  t.ok(reader.isOpen)
  const grown = (process.memoryUsage().arrayBuffers - before) / 1_048_576
  t.ok(grown < 40, `${grown.toFixed(1)} MB`)
  for (const socket of sockets) socket.destroy()
  reader.close()
})

t.test('a reader that was slow is caught up with, once for each', async (t) => {
  // On a busy machine the rounds take minutes: lists that are long in being read are read less often.
  const panel = await startPanel({ config: { relay: false, live: { stalledMs: 600_000 } } })
  t.teardown(() => panel.stop())
  const { renameAll } = await withManyDevices(panel)
  const slow = await openEvents(panel.url, userHeader(admin))
  await slow.first()
  slow.pause()
  const before = slow.told.length
  const reader = await openEvents(panel.url, userHeader(admin))
  await reader.first()
  const rounds = Array.from({ length: 10 }, (_, round) => `round ${round}`)
  for (const name of rounds) {
    await renameAll(name)
    await until(name, () => [...reader.devices.values()].some((device) => device.name === name), 20_000)
  }
  slow.resume()
  await until('it has the last', () => isDeepStrictEqual(slow.devices, reader.devices), 20_000)
  const told = slow.told.length - before
  t.ok(told < rounds.length, `${told} events for ${rounds.length} rounds`)
  for (const client of [slow, reader]) client.close()
})

t.test('whoever goes away at any moment leaves nothing', async (t) => {
  const panel = await startPanel({ config: { relay: false } })
  t.teardown(() => panel.stop())
  const handles = () => process.getActiveResourcesInfo().filter((kind) => /Timeout|Server/.test(kind)).length
  const first = await openEvents(panel.url, userHeader(ann))
  await first.first()
  first.close()
  await until('it is gone', async () => (await openStreams(panel)) === 0)
  const before = handles()
  for (let round = 0; round < 30; round += 1) {
    const sockets = await Promise.all(Array.from({ length: 5 }, () => deaf(panel, { id: `caller ${round}` })))
    for (const [n, socket] of sockets.entries()) {
      if (n === 0) socket.destroy()
      else if (n === 1) socket.resetAndDestroy()
      else setTimeout(() => socket.destroy(), n * round)
    }
  }
  await until('all are gone', async () => (await openStreams(panel)) === 0)
  await until('nothing is left', () => handles() <= before + 3)
  t.pass()
})
