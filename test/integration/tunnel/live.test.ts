// The stream of events over several panels: what happens at one is told at another, and what is taken away ends it there.
import t from 'tap'
import { until } from '../../support/deadline.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import { type SignInPanel, startTwoPanels } from '../../support/sign-in-panel.js'
import { openChannel } from '../../support/tunnel/channel.js'
import { newDevice } from '../../support/tunnel/devices.js'
import { openEventStream, watchEvents } from '../../support/tunnel/event-stream.js'

const skip = withoutPostgres || withoutRedis
/** As the contract has it: what is revoked ends everywhere. */
const endsWithinMs = 5_000
/** A change at another instance is gathered, sent, and told at most once a second; sooner than anybody would look by themselves. */
const toldWithinMs = 10_000

t.test('on two panels', { skip }, async (t) => {
  const { panels, redis } = await startTwoPanels(t)
  const [a, b] = panels
  const asAdmin = { bearer: a.admin.token }
  const watcher = await watchEvents(t, a.url, asAdmin)
  const onlineAt = (id: string) => watcher.devices.get(id)?.['online'] === true

  await t.test('a device that comes to B is seen at A, and so is its going', async (t) => {
    const device = await newDevice(b)
    await until('enrolled', () => watcher.devices.has(device.id), toldWithinMs)
    const channel = await openChannel(t, b.url, device.token)
    const begun = performance.now()
    await until('online', () => onlineAt(device.id), toldWithinMs)
    t.comment(`online: ${Math.round(performance.now() - begun)} ms`)
    await b.ok('PATCH', `/api/tunnel/devices/${device.id}`, { ...asAdmin, body: { name: 'renamed at B' } })
    await until('renamed', () => watcher.devices.get(device.id)?.['name'] === 'renamed at B', toldWithinMs)
    channel.socket.close()
    await until('offline', () => !onlineAt(device.id), toldWithinMs)
    await b.ok('DELETE', `/api/tunnel/devices/${device.id}`, asAdmin)
    await until('gone', () => !watcher.devices.has(device.id), toldWithinMs)
  })

  await t.test('what ends a credential at B ends its stream at A', async (t) => {
    type End = (person: Awaited<ReturnType<SignInPanel['newPerson']>>) => Promise<unknown>
    const ends: [name: string, end: End][] = [
      ['signed out', ({ token }) => b.ok('POST', '/api/auth/logout', { bearer: token })],
      ['suspended', ({ id }) => b.ok('PATCH', `/api/users/${id}`, { ...asAdmin, body: { suspended: true } })],
      ['deleted', ({ id }) => b.ok('DELETE', `/api/users/${id}`, asAdmin)],
    ]
    for (const [name, end] of ends) {
      const person = await a.newPerson()
      const stream = await watchEvents(t, a.url, { cookie: person.token })
      await end(person)
      const begun = performance.now()
      await until(`${name}: the end`, () => !stream.isOpen, endsWithinMs)
      t.comment(`${name}: ${Math.round(performance.now() - begun)} ms`)
      t.equal((await openEventStream(a.url, { bearer: person.token })).reply.status, 401, name)
    }
    const person = await a.newPerson()
    const { id, key } = await a.newKey(person, { permissions: ['tunnels:read'] })
    const stream = await watchEvents(t, a.url, { apiKey: key })
    await b.ok('DELETE', `/api/apikeys/${id}`, { bearer: person.token })
    await until('a key: the end', () => !stream.isOpen, endsWithinMs)
    t.ok(watcher.isOpen, 'nobody else’s')
  })

  await t.test('a permission that is taken at B is taken from the stream at A', async (t) => {
    const person = await a.newPerson(['tunnels:read'])
    const device = await newDevice(a)
    const stream = await watchEvents(t, a.url, { bearer: person.token })
    await until('everyone’s', () => stream.devices.has(device.id))
    await b.ok('PATCH', `/api/users/${person.id}`, { ...asAdmin, body: { permissions: [] } })
    await until('nothing', () => !stream.isOpen || stream.devices.size === 0, endsWithinMs)
  })

  await t.test('without Redis the stream stays, and catches up', async (t) => {
    const [before, during] = [await newDevice(b), await newDevice(b)]
    await until('both', () => watcher.devices.has(before.id) && watcher.devices.has(during.id))
    await redis.stop()
    try {
      await openChannel(t, b.url, during.token)
      await until('found without being told', () => onlineAt(during.id), 15_000)
    } finally {
      await redis.start()
    }
    t.ok(watcher.isOpen)
    await openChannel(t, b.url, before.token)
    await until('told again', () => onlineAt(before.id), 10_000)
    t.equal(watcher.told.filter(({ event }) => event === 'devices').filter(({ data }) => isReset(data)).length, 1)
  })

  await t.test('devices of a panel that dies go offline', async (t) => {
    // Without Redis requests cannot be counted, and B may not have noticed yet that it is back.
    const device = await until('a device', () => newDevice(b))
    await openChannel(t, b.url, device.token)
    await until('online', () => onlineAt(device.id))
    await b.program.stop('SIGKILL')
    const begun = performance.now()
    await until('offline', () => !onlineAt(device.id), 20_000)
    t.comment(`offline: ${Math.round(performance.now() - begun)} ms`)
    t.ok(watcher.isOpen)
  })
})

function isReset(data: unknown): boolean {
  return (data as { readonly reset?: boolean }).reset === true
}
