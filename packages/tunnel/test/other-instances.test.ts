import { randomUUID } from 'node:crypto'
import { Database, type EventOrigin, Events, type EventToken, override } from '@sallyport/core'
import t from 'tap'
import { allocationsChanged, devicesRevoked } from '../dist/index.js'
import { startAgent } from './support/agent.js'
import { openChannel } from './support/channel.js'
import { type Call, startPanel } from './support/panel.js'
import { until } from './support/until.js'

type Handler = (payload: never, origin: EventOrigin) => void | Promise<void>

/** Events that a test can let another instance emit, or lose. */
function testEvents() {
  const handlers = new Map<string, Set<Handler>>()
  const resyncs = new Set<() => void | Promise<void>>()
  const redis = { away: false }
  const deliver = async (name: string, payload: unknown, remote: boolean): Promise<void> => {
    for (const handler of handlers.get(name) ?? []) await handler(payload as never, { remote })
  }
  const events: Events = {
    get connected() {
      return !redis.away
    },
    emit: ({ name }, payload) => deliver(name, payload, false),
    on({ name }, handler) {
      const known = handlers.get(name) ?? new Set()
      handlers.set(name, known.add(handler as Handler))
      return () => void known.delete(handler as Handler)
    },
    onResync(handler) {
      resyncs.add(handler)
      return () => void resyncs.delete(handler)
    },
  }
  return {
    events,
    redis,
    fromElsewhere: <T>({ name }: EventToken<T>, payload: T) => deliver(name, payload, true),
    async resync() {
      for (const handler of resyncs) await handler()
    },
  }
}

const { events, redis, fromElsewhere, resync } = testEvents()
const panel = await startPanel({ kernel: { overrides: [override(Events, events)] } })
t.teardown(() => panel.stop())
const alice = { id: 'alice' }
/** What another instance does to the database that both share. */
const sql = (text: string, bind: unknown[]) => panel.kernel.get(Database).sequelize.query(text, { bind })

t.test('a device that another instance revoked is cut here', async (t) => {
  const device = await panel.enrol(alice)
  await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
  const channel = await openChannel(panel, device.token)
  await sql('DELETE FROM tunnel_devices WHERE id = $1', [device.id])
  await fromElsewhere(devicesRevoked, { deviceIds: [device.id] })
  t.equal(await channel.closed, 4403)
  const { body } = await panel.call('GET', '/api/tunnel/relays', { as: alice })
  t.equal(body.relays[0].load.allocations, 0)
})

t.test('what another instance changed is told to the agent and to the relay', async (t) => {
  const device = await panel.enrol(alice)
  const { id } = await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
  const channel = await openChannel(panel, device.token)
  const told = (status: string) =>
    until(status, () => channel.messages.some((one) => one.type === 'state' && one.allocations[0]?.status === status))
  await sql('UPDATE tunnel_allocations SET paused = true WHERE id = $1', [id])
  await fromElsewhere(allocationsChanged, { deviceIds: [device.id] })
  await told('closed')

  await sql('UPDATE tunnel_allocations SET local_port = 7, paused = false WHERE id = $1', [id])
  await resync()
  const healed = await until('what no event told of', () =>
    channel.messages.find((one) => one.type === 'state' && one.allocations[0]?.localPort === 7),
  )
  t.ok(healed)
  t.equal((await panel.allocations(alice))[0]?.status, 'open')

  await sql('UPDATE tunnel_devices SET token_id = NULL WHERE id = $1', [device.id])
  await resync()
  t.equal(await channel.closed, 4403)
})

t.test('a device whose revocation no event told of loses its link and its players too', async (t) => {
  const device = await panel.enrol(alice)
  await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  await agent.ready()
  await sql('UPDATE tunnel_devices SET token_id = gen_random_uuid() WHERE id = $1', [device.id])
  await resync()
  await until('the link is cut', () => agent.agent.links().every(({ connected }) => !connected))
  const { body } = await panel.call('GET', '/api/tunnel/relays', { as: alice })
  t.equal(body.relays[0].load.devices, 0)
})

t.test('a device that is connected elsewhere is online', async (t) => {
  const device = await panel.enrol(alice)
  const isOnline = async () => (await panel.devices(alice)).find(({ id }) => id === device.id)?.online
  t.equal(await isOnline(), false)
  await sql(
    `WITH other AS (INSERT INTO tunnel_instances (id, alive_until)
       VALUES (gen_random_uuid(), now() + interval '1 minute') RETURNING id)
     UPDATE tunnel_devices d SET instance_id = other.id FROM other WHERE d.id = $1`,
    [device.id],
  )
  t.equal(await isOnline(), true)
  await sql(
    `UPDATE tunnel_instances i SET alive_until = now() - interval '1 second'
     FROM tunnel_devices d WHERE d.id = $1 AND i.id = d.instance_id`,
    [device.id],
  )
  t.equal(await isOnline(), false, 'and it is not, when that instance has stopped saying so')
})

t.test('while Redis is away, what another living instance would have to do is refused', async (t) => {
  t.teardown(() => {
    redis.away = false
  })
  const zoe = { id: 'zoe' }
  const device = await panel.enrol(zoe)
  const { id } = await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
  const other = randomUUID()
  const otherLives = (seconds: number) =>
    sql(
      `INSERT INTO tunnel_instances (id, alive_until) VALUES ($1, now() + make_interval(secs => $2))
       ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
      [other, seconds],
    )
  const channelAt = (instance: string | null) =>
    sql('UPDATE tunnel_devices SET instance_id = $2 WHERE id = $1', [device.id, instance])
  const url = `/api/tunnel/allocations/${id}`
  const ask = (method: string, path: string, call: Call = {}) => panel.call(method, path, { as: zoe, ...call })
  const rename = (name: string) => ask('PATCH', url, { json: { name } })
  const shown = async () => (await panel.allocations(zoe)).map(({ traffic: _, ...one }) => one)

  redis.away = true
  t.equal((await rename('alone')).status, 200, 'what this instance can do alone goes on')

  await otherLives(60)
  await channelAt(other)
  const before = await shown()
  const refused = [
    await rename('no'),
    await ask('POST', '/api/tunnel/allocations', { json: { deviceId: device.id, protocol: 'udp', localPort: 2 } }),
    await ask('POST', `${url}/close`),
    await ask('DELETE', url),
    await ask('POST', `/api/tunnel/devices/${device.id}/regenerate-token`),
    await ask('DELETE', `/api/tunnel/devices/${device.id}`),
  ]
  t.same([...new Set(refused.map(({ status }) => status))], [503])
  t.ok(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0))
  t.same(await shown(), before, 'and nothing is written')
  t.equal((await panel.call('GET', '/api/tunnel/allocations', { token: device.token })).status, 200)

  await otherLives(-1)
  t.equal((await rename('dead')).status, 200, 'a dead one would do nothing anyway')

  await channelAt(null)
  await otherLives(60)
  await sql(
    `WITH its AS (
       INSERT INTO tunnel_relays (id, host_group, kind, host, data_port, instance_id)
       VALUES ('theirs', 'theirs', 'embedded', 'localhost', 1, $2) RETURNING id)
     INSERT INTO tunnel_allocations (device_id, relay_id, host_group, protocol, port, local_host, local_port)
     SELECT $1, its.id, 'theirs', 'tcp', 20000, '127.0.0.1', 1 FROM its`,
    [device.id, other],
  )
  t.equal((await rename('here')).status, 200, 'the relay of this one is steered here')
  t.equal((await ask('DELETE', `/api/tunnel/devices/${device.id}`)).status, 503, 'the device has players at the other')
  redis.away = false
  t.equal((await ask('DELETE', `/api/tunnel/devices/${device.id}`)).status, 200)
})
