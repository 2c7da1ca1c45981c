import { randomUUID } from 'node:crypto'
import { Tokens } from '@sallyport/core'
import fc from 'fast-check'
import t from 'tap'
import { hello, openChannel, refusedUpgrade } from './support/channel.js'
import { admin, startPanel } from './support/panel.js'
import { until } from './support/until.js'
import type { TestUser } from './support/users.js'

/** Peers run in this process too: on a busy machine they answer late by what one turn of the event loop takes. */
const heartbeatMs = 1_000
const panel = await startPanel({
  config: { gateway: { heartbeatMs, helloTimeoutMs: 1_500, presenceIntervalMs: 100 } },
})
t.teardown(() => panel.stop())

const alice: TestUser = { id: 'alice' }
const device = await panel.enrol(alice)
const online = async () => (await panel.devices(alice)).find(({ id }) => id === device.id)

t.test('welcome, then the whole state with a ticket', async (t) => {
  const allocation = await panel.allocate(device, { protocol: 'tcp', localPort: 25_565 })
  const channel = await openChannel(panel, device.token)
  t.same(await channel.message('welcome'), {
    type: 'welcome',
    protocol: 1,
    deviceId: device.id,
    name: 'box',
    heartbeatMs,
  })
  const state = await channel.message('state')
  t.match(state, {
    revision: Number,
    allocations: [{ id: allocation.id, protocol: 'tcp', port: allocation.port, localPort: 25_565, status: 'open' }],
    relays: [{ id: 'embedded', host: 'localhost', port: Number, ticket: /./ }],
  })
  t.match(await online(), { online: true, version: '1.2.3', lastSeenAt: /T/ })

  channel.send({ type: 'ticket', relayId: 'embedded' })
  const fresh = await channel.message('ticket')
  t.equal(fresh.relayId, 'embedded')
  t.not(fresh.ticket, state.relays[0]?.ticket)
  channel.send({ type: 'ticket', relayId: 'another' })
  channel.send({ type: 'status', revision: state.revision, relays: [{ id: 'embedded', connected: true, rttMs: 1.5 }] })

  const url = `/api/tunnel/allocations/${allocation.id}`
  await panel.call('PATCH', url, { as: alice, json: { localPort: 7 } })
  await until('the change', () =>
    channel.messages.some((one) => one.type === 'state' && one.allocations[0]?.localPort === 7),
  )
  await panel.call('POST', `${url}/close`, { as: alice })
  await until('closed', () =>
    channel.messages.some((one) => one.type === 'state' && one.allocations[0]?.status === 'closed'),
  )
  await panel.call('DELETE', url, { as: alice })
  await until('gone', () => channel.messages.some((one) => one.type === 'state' && one.allocations.length === 0))
  const revisions = channel.messages.flatMap((one) => (one.type === 'state' ? [one.revision] : []))
  t.same(
    revisions,
    [...revisions].sort((a, b) => a - b),
    'revisions grow',
  )
  t.ok(channel.isOpen, 'a relay that is not known is no reason to close')

  channel.socket.close()
  await until('offline', async () => (await online())?.online === false)
})

t.test('bad tokens are accepted and closed with 4401', async (t) => {
  const issuer = panel.kernel.get(Tokens).issuer('tunnel-device')
  const foreign = panel.kernel.get(Tokens).issuer('something-else').issue({ subject: device.id, id: randomUUID() })
  const tokens = [
    undefined,
    'nonsense',
    'a.b.c',
    foreign,
    issuer.issue({ subject: device.id, id: randomUUID() }),
    issuer.issue({ subject: 'not a uuid', id: "' OR 1=1" }),
    issuer.issue({ subject: randomUUID(), id: randomUUID() }),
    `${device.token}x`,
  ]
  for (const token of tokens) t.equal(await (await openChannel(panel, token, false)).closed, 4401, String(token))
})

t.test('a token in the URL is not looked at', async (t) => {
  const { WebSocket } = await import('ws')
  const url = `${panel.url.replace('http', 'ws')}/api/tunnel/ws?token=${device.token}&access_token=${device.token}`
  const socket = new WebSocket(url)
  t.equal(await new Promise((resolve) => socket.once('close', resolve)), 4401)
})

t.test('the newest wins, and the older one’s end does not hurt it', async (t) => {
  const older = await openChannel(panel, device.token)
  const newer = await openChannel(panel, device.token)
  t.equal(await older.closed, 4409)
  t.match(older.messages.at(-1), { type: 'error', error: 'replaced' })
  await panel.allocate(device, { protocol: 'tcp', localPort: 1 })
  await until('it is told of changes', () =>
    newer.messages.some((one) => one.type === 'state' && one.allocations.length > 0),
  )
  t.equal((await online())?.online, true)
  newer.socket.close()
  await until('offline', async () => (await online())?.online === false)
})

t.test('of many at one time one stays', async (t) => {
  const channels = await Promise.all(Array.from({ length: 10 }, () => openChannel(panel, device.token, false)))
  for (const channel of channels) if (channel.isOpen) channel.send(hello)
  const left = await until('one is left', () => {
    const open = channels.filter(({ isOpen }) => isOpen)
    return open.length === 1 ? open[0] : undefined
  })
  await left.message('state')
  t.equal((await online())?.online, true)
  left.socket.close()
  await until('offline', async () => (await online())?.online === false)
})

t.test('no hello in time is 4400', async (t) => {
  const channel = await openChannel(panel, device.token, false)
  t.equal(await channel.closed, 4400)
  t.match(channel.messages.at(-1), { type: 'error', error: 'hello_timeout' })
})

t.test('what is no message of the protocol, or comes out of turn, is 4400', async (t) => {
  const status = { type: 'status', revision: 1, relays: [] }
  const first = [
    '',
    'x',
    '{}',
    '[]',
    'null',
    '{"type":"hello"}',
    status,
    { ...hello, protocol: 'x' },
    { type: 'unknown' },
  ]
  for (const message of first) {
    const channel = await openChannel(panel, device.token, false)
    channel.send(message)
    t.equal(await channel.closed, 4400, JSON.stringify(message))
  }
  const then = ['x', hello, { type: 'ticket' }, { type: 'status' }, { type: 'welcome' }, { ...status, revision: -1 }]
  for (const message of then) {
    const channel = await openChannel(panel, device.token)
    channel.send(message)
    t.equal(await channel.closed, 4400, JSON.stringify(message))
  }
  const binary = await openChannel(panel, device.token)
  binary.socket.send(Buffer.from(JSON.stringify(status)))
  t.equal(await binary.closed, 4400)
  const newer = await openChannel(panel, device.token, false)
  newer.send({ ...hello, protocol: 2 })
  t.equal(await newer.closed, 4400)
  t.match(newer.messages.at(-1), { error: 'protocol_unsupported', detail: /update the panel/ })
})

t.test('10 MB, bad UTF-8 and a flood end the channel that sent them', async (t) => {
  const large = await openChannel(panel, device.token)
  large.send('x'.repeat(10_000_000))
  t.equal(await large.closed, 1009)
  const flooding = await openChannel(panel, device.token)
  for (let n = 0; n < 500; n += 1) flooding.send({ type: 'status', revision: 1, relays: [] })
  t.equal(await flooding.closed, 4400)
  t.match(flooding.messages.at(-1), { error: 'too_many_messages' })
  const pinging = await openChannel(panel, device.token)
  for (let n = 0; n < 500; n += 1) pinging.socket.ping()
  t.ok([4400, 1006].includes(await pinging.closed), 'ours, or the WebSocket library breaks it off first')
})

t.test('no message whatever harms more than its own channel', async (t) => {
  const other = await openChannel(panel, (await panel.enrol({ id: 'bob' })).token)
  const types = fc.constantFrom('hello', 'status', 'ticket', 'state', '__proto__')
  const message = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ type: types, revision: fc.anything(), relays: fc.anything() }),
  )
  await fc.assert(
    fc.asyncProperty(message, async (sent) => {
      const channel = await openChannel(panel, device.token)
      channel.send(typeof sent === 'string' ? sent : (JSON.stringify(sent) ?? ''))
      channel.send('the end')
      return (await channel.closed) === 4400
    }),
    { numRuns: 40 },
  )
  t.ok(other.isOpen)
  other.socket.close()
})

t.test('a peer that has gone silent is broken off', async (t) => {
  const channel = await openChannel(panel, device.token)
  channel.socket.pong = () => undefined
  ;(
    channel.socket as unknown as { _receiver: { removeAllListeners(event: string): void } }
  )._receiver.removeAllListeners('ping')
  t.equal(await channel.closed, 1006)
  await until('offline', async () => (await online())?.online === false)
})

t.test('a peer that answers pings stays', async (t) => {
  const channel = await openChannel(panel, device.token)
  let pings = 0
  channel.socket.on('ping', () => {
    pings += 1
  })
  await until('pings', () => pings >= 3)
  t.ok(channel.isOpen)
  channel.socket.close()
})

t.test('a channel whose token died behind the panel’s back ends with the next look', async (t) => {
  const own = await panel.enrol(alice)
  const channel = await openChannel(panel, own.token)
  const { Database } = await import('@sallyport/core')
  await panel.kernel.get(Database).sequelize.query('UPDATE tunnel_devices SET token_id = NULL WHERE id = $1', {
    bind: [own.id],
  })
  t.equal(await channel.closed, 4403)
})

t.test('a session or nobody at all has no business on the control channel', async (t) => {
  const { WebSocket } = await import('ws')
  const { userHeader } = await import('./support/users.js')
  const socket = new WebSocket(`${panel.url.replace('http', 'ws')}/api/tunnel/ws`, { headers: userHeader(admin) })
  t.equal(await new Promise((resolve) => socket.once('close', resolve)), 4401)
})

t.test('switched off: agents are told to wait, everything is 403, switched on all is as before', async (t) => {
  const channel = await openChannel(panel, device.token)
  await panel.setFeature(false)
  t.equal(await channel.closed, 1001)
  t.match(channel.messages.at(-1), { type: 'error', error: 'feature_disabled' })
  const refused = await refusedUpgrade(panel, device.token)
  t.same([refused.status, refused.body.error], [403, 'feature_disabled'])
  for (const [method, path] of [
    ['GET', '/api/tunnel/devices'],
    ['GET', '/api/tunnel/nonsense'],
    ['POST', '/api/tunnel/device/start'],
    ['GET', '/api/tunnel'],
    ['GET', '/api/tunnel/ws'],
  ] as const) {
    for (const call of [{ as: admin }, {}, { token: 'nonsense' }, { token: device.token }]) {
      const { status, body } = await panel.call(method, path, call)
      t.same([status, body.error], [403, 'feature_disabled'], `${method} ${path}`)
    }
  }
  await panel.setFeature(true)
  const back = await openChannel(panel, device.token)
  t.ok((await back.message('state')).revision > (await channel.message('state')).revision)
  back.socket.close()
})

t.test('the panel goes away with 1001', async (t) => {
  const ready = await openChannel(panel, device.token)
  const waiting = await openChannel(panel, (await panel.enrol(alice)).token, false)
  await panel.stop()
  t.same([await ready.closed, await waiting.closed], [1001, 1001])
})
