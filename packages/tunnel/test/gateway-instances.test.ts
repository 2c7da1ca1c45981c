import t from 'tap'
import { hello, openChannel } from './support/channel.js'
import { createBus, openDatabase, startGateway } from './support/gateways.js'
import { until } from './support/until.js'

const database = await openDatabase()
t.teardown(() => database.close())
const bus = createBus()
const [a, b] = [
  await startGateway(database, { events: bus.instance() }),
  await startGateway(database, { events: bus.instance() }),
]
t.teardown(() => Promise.all([a.stop(), b.stop()]))

async function whereIs(id: string): Promise<string | null | undefined> {
  const [row] = await database.sql<{ instance_id: string | null }>(
    'SELECT instance_id FROM tunnel_devices WHERE id = $1::uuid',
    [id],
  )
  return row?.instance_id
}

t.test('a channel on another instance ends the older one with 4409, and is not hurt by its end', async (t) => {
  const { id, token } = await database.device()
  const older = await openChannel(a, token)
  t.equal(await whereIs(id), a.instanceId)
  const newer = await openChannel(b, token)
  t.equal(await older.closed, 4409)
  t.match(older.messages.at(-1), { type: 'error', error: 'replaced' })
  await until('the older one is forgotten', () => !a.gateway.isOnline(id))
  t.equal(await whereIs(id), b.instanceId)
  t.ok(newer.isOpen)
  newer.socket.close()
  await until('offline', async () => (await whereIs(id)) === null)
})

t.test('what no event told of is found by the next look', async (t) => {
  const [replaced, revoked, kept] = [await database.device(), await database.device(), await database.device()]
  bus.losing = true
  const older = await openChannel(a, replaced.token)
  const newer = await openChannel(b, replaced.token)
  const dead = await openChannel(a, revoked.token)
  const lives = await openChannel(a, kept.token)
  bus.losing = false
  await database.regenerate(revoked.id)
  await database.sql('UPDATE tunnel_devices SET instance_id = NULL WHERE id = $1::uuid', [kept.id])
  const ghost = await database.device()
  await database.sql(
    'UPDATE tunnel_devices SET instance_id = $2::uuid, session_id = gen_random_uuid() WHERE id = $1::uuid',
    [ghost.id, a.instanceId],
  )
  t.ok(older.isOpen)
  await a.gateway.refresh()
  t.equal(await older.closed, 4409)
  t.equal(await dead.closed, 4403)
  t.same(a.ended, [revoked.id])
  t.equal(await whereIs(kept.id), a.instanceId, 'written again')
  t.equal(await whereIs(ghost.id), null, 'taken back')
  t.ok(newer.isOpen && lives.isOpen)
  for (const { socket } of [newer, lives]) socket.close()
})

t.test('an event that comes before the own number is known is not forgotten', async (t) => {
  const { id, token } = await database.device()
  let go: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    go = resolve
  })
  const { presence } = a
  const slow = await startGateway(database, {
    events: bus.instance(),
    options: {
      presence: {
        ...presence,
        async connected(channels) {
          const devices = await presence.connected(channels)
          await held
          return devices
        },
      },
    },
  })
  t.teardown(() => slow.stop())
  const first = await openChannel(slow, token, false)
  first.send(hello)
  await until('it is written', async () => (await whereIs(id)) !== null)
  const second = await openChannel(b, token)
  go()
  t.equal(await first.closed, 4409)
  t.ok(second.isOpen)
  second.socket.close()
})

t.test('a token that died between the upgrade and hello is not welcomed', async (t) => {
  const { id, token } = await database.device()
  const channel = await openChannel(a, token, false)
  await database.regenerate(id)
  channel.send(hello)
  t.equal(await channel.closed, 4403)
  t.notOk(channel.messages.some(({ type }) => type === 'welcome'))
  t.equal(await whereIs(id), null)
})

t.test('many at one time are welcomed, and gone when they leave', async (t) => {
  const devices = await Promise.all(Array.from({ length: 300 }, () => database.device()))
  const channels = await Promise.all(devices.map(({ token }) => openChannel(a, token)))
  t.ok(a.gateway.count() >= 300)
  const online = () => database.sql('SELECT id FROM tunnel_devices WHERE instance_id = $1::uuid', [a.instanceId])
  t.ok((await online()).length >= 300)
  for (const { socket } of channels) socket.close()
  await until('all are offline', async () => (await online()).length === 0)
})

t.test('when too much is under way it is 503, at a time of its own each', async (t) => {
  const gateway = await startGateway(database, {
    options: { presence: { ...a.presence, connected: () => new Promise(() => undefined) } },
  })
  const requests = Array.from({ length: 2_000 }, () => ({
    headers: { upgrade: 'websocket' },
    socket: { once: () => undefined },
    once: () => undefined,
  }))
  for (const request of requests) gateway.gateway.guard(request as never)
  const waits = new Set<number>()
  for (let n = 0; n < 40; n += 1) {
    try {
      gateway.gateway.guard(requests[0] as never)
      t.fail('it is let in')
    } catch (error) {
      const { status, retryAfter } = error as { status: number; retryAfter: number }
      t.equal(status, 503)
      t.ok(retryAfter >= 1 && retryAfter <= 10)
      waits.add(retryAfter)
    }
  }
  t.ok(waits.size > 3, 'spread')
  await gateway.stop()
})
