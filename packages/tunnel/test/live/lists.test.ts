import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { startAgent } from '../support/agent.js'
import { openEvents } from '../support/event-client.js'
import { admin, startPanel } from '../support/panel.js'
import { until } from '../support/until.js'
import { type TestUser, userHeader } from '../support/users.js'

const ann: TestUser = { id: 'ann' }
const ben: TestUser = { id: 'ben' }
const keyWithoutScope: TestUser = { id: 'key', kind: 'apiKey', userId: 'ann' }
const key: TestUser = { ...keyWithoutScope, id: 'key2', scopes: ['tunnels:read'] }

const panel = await startPanel()
t.teardown(() => panel.stop())

const events = (as: TestUser) => openEvents(panel.url, userHeader(as))
/** A list that was long in being read, on a busy machine, is read again ten seconds later. */
const readAgainMs = 20_000
const nowless = <T extends { online: boolean; lastSeenAt: string | null }>(items: Iterable<T>) =>
  [...items].map((item) => ({ ...item, lastSeenAt: item.online ? null : item.lastSeenAt }))

t.test('the first of each list is what its route gives', async (t) => {
  const device = await panel.enrol(ann)
  await panel.allocate(device, { localPort: 1, protocol: 'both' }).catch(() => undefined)
  await panel.enrol(ben)
  for (const as of [admin, ann, ben, key]) {
    const client = await events(as)
    t.equal(client.status, 200)
    t.equal(client.headers['content-type'], 'text/event-stream; charset=utf-8')
    t.match(client.headers['cache-control'], /no-store/)
    t.equal(client.headers['x-accel-buffering'], 'no')
    t.ok(client.headers['x-request-id'])
    await client.first()
    t.match(client.text(), /^retry: \d{4}\n\n/)
    const relays = async () => (await panel.call('GET', '/api/tunnel/relays', { as })).body.relays
    t.same([...client.devices.values()], await panel.devices(as), `devices of ${as.id}`)
    t.same([...client.allocations.values()], await panel.allocations(as), `allocations of ${as.id}`)
    // What a relay has to do changes with the allocations that were just made.
    await until(
      `relays of ${as.id}`,
      async () => isDeepStrictEqual(nowless(client.relays.values()), nowless(await relays())),
      readAgainMs,
    )
    for (const name of ['devices', 'allocations', 'relays']) {
      t.match(client.told.find(({ event }) => event === name)?.data, { reset: true, removed: [] })
    }
    client.close()
  }
  t.equal((await panel.allocations(ben)).length, 0)
})

t.test('who may not read them gets no stream', async (t) => {
  const device = await panel.enrol(ann)
  const cases: [string, Record<string, string>, number, string][] = [
    ['nobody', {}, 401, 'unauthenticated'],
    ['a key without the permission', userHeader(keyWithoutScope), 403, 'forbidden'],
    ['a device', { authorization: `Bearer ${device.token}` }, 403, 'forbidden'],
  ]
  for (const [who, headers, status, error] of cases) {
    const { status: got, body } = await openEvents(panel.url, headers)
    t.equal(got, status, who)
    t.equal(JSON.parse(body).error, error, who)
  }
})

t.test('HEAD is answered with the headers', async (t) => {
  const response = await fetch(`${panel.url}/api/tunnel/events`, { method: 'HEAD', headers: userHeader(ann) })
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  t.equal(await response.text(), '')
})

t.test('each kind of change arrives, as a change', async (t) => {
  const watcher = await events(admin)
  await watcher.first()
  const before = watcher.told.length
  const say = (what: string, condition: () => unknown) => until(what, condition, readAgainMs)

  const started = await panel.call('POST', '/api/tunnel/device/start', { as: ann, json: { name: 'box' } })
  const pending = await say('enrolment started', () =>
    [...watcher.devices.values()].find(({ userCode }) => userCode === started.body.userCode),
  )
  t.match(pending, { approved: false, name: 'box', ownerId: 'ann' })
  const { id } = pending as { id: string }
  const device = () => watcher.devices.get(id)

  await panel.call('PATCH', `/api/tunnel/devices/${id}`, { as: ann, json: { name: 'attic' } })
  await say('renamed', () => device()?.name === 'attic')

  await panel.call('POST', '/api/tunnel/device/approve', { as: admin, json: { userCode: started.body.userCode } })
  await say('approved', () => device()?.approved && device()?.expiresAt === null)
  const { deviceCode } = started.body
  const { token } = (await panel.call('GET', `/api/tunnel/device/poll?deviceCode=${deviceCode}`)).body

  const agent = startAgent(panel.url, token)
  await say('online', () => device()?.online)

  const made = await panel.call('POST', '/api/tunnel/allocations', { token, json: { localPort: 9, protocol: 'tcp' } })
  const allocation = () => watcher.allocations.get(made.body.allocation.id)
  await say('allocated', () => allocation()?.status === 'open')
  await say('the load of the relay', () => [...watcher.relays.values()].some(({ load }) => load.allocations > 0))

  const change = (verb: string) => panel.call('POST', `/api/tunnel/allocations/${allocation()?.id}/${verb}`, { token })
  await change('close')
  await say('closed', () => allocation()?.status === 'closed')
  await change('open')
  await say('opened', () => allocation()?.status === 'open')
  const patch = { name: 'game', options: { maxConnections: 3 } }
  await panel.call('PATCH', `/api/tunnel/allocations/${allocation()?.id}`, { token, json: patch })
  await say('changed', () => allocation()?.name === 'game' && allocation()?.options.maxConnections === 3)

  // Nothing listens there.
  await fetch(`http://127.0.0.1:${allocation()?.port}`).catch(() => undefined)
  await say('the target’s error', () => allocation()?.targetError !== null)

  const { id: allocationId } = allocation() as { id: number }
  await panel.call('DELETE', `/api/tunnel/allocations/${allocationId}`, { token })
  await say('removed', () => !watcher.allocations.has(allocationId))

  await agent.stop()
  await say('offline', () => device()?.online === false)

  await panel.call('DELETE', `/api/tunnel/devices/${id}`, { as: ann })
  await say('deleted', () => !watcher.devices.has(id))

  const denied = await panel.call('POST', '/api/tunnel/device/start', { as: ann, json: { name: 'no' } })
  const isThere = () => [...watcher.devices.values()].some(({ name }) => name === 'no')
  await say('another enrolment', isThere)
  await panel.call('POST', '/api/tunnel/device/deny', { as: admin, json: { userCode: denied.body.userCode } })
  await say('denied', () => !isThere())

  const later = watcher.told.slice(before)
  t.ok(later.length >= 10, `${later.length} events`)
  const lists = later.filter(({ event }) => event !== 'traffic')
  t.ok(lists.every(({ data }) => data.reset === false))
  t.ok(
    lists.every(({ data }) => data.items.length + data.removed.length === 1),
    `only what changed: ${JSON.stringify(lists.map(({ event, data }) => [event, data.items.length, data.removed.length]))}`,
  )
  watcher.close()
})

t.test('an enrolment that nobody approves disappears when its time is over', async (t) => {
  const short = await startPanel({ config: { relay: false, enrolment: { lifetimeSeconds: 3 } } })
  t.teardown(() => short.stop())
  // First: what comes later may be read only when its time is over.
  await short.call('POST', '/api/tunnel/device/start', { as: ann, json: { name: 'box' } })
  const watcher = await openEvents(short.url, userHeader(ann))
  await until('it is there', () => watcher.devices.size === 1)
  await until('it is gone', () => watcher.devices.size === 0, readAgainMs)
  watcher.close()
})

t.test('what is another’s never arrives', async (t) => {
  const [hers, his] = [await events(ann), await events(ben)]
  await Promise.all([hers.first(), his.first()])
  const device = await panel.enrol(ann, { name: 'hers alone' })
  const { id } = await panel.allocate(device, { localPort: 9, protocol: 'tcp' })
  await until('hers', () => hers.devices.has(device.id) && hers.allocations.has(id), readAgainMs)
  const mine = await panel.enrol(ben, { name: 'his' })
  await until('his', () => his.devices.has(mine.id), readAgainMs)
  t.notMatch(his.text(), device.id)
  t.notMatch(his.text(), 'hers alone')
  t.notMatch(hers.text(), mine.id)
  for (const client of [hers, his]) client.close()
})
