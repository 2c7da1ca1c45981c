import type { RelayAllocation } from '@sallyport/relay'
import t from 'tap'
import type { RelayArrival, RemoteRelay } from '../dist/gateway/relay-session.js'
import { type Channel, hello, openChannel } from './support/channel.js'
import { openDatabase, startGateway } from './support/gateways.js'
import { until } from './support/until.js'

const arrivals: RelayArrival[] = []
const left: RemoteRelay[] = []
const order: string[] = []
let refusal: { taken: false; error: string; detail: string } | undefined

const database = await openDatabase()
t.teardown(() => database.close())
const gateway = await startGateway(database, {
  relayHost: {
    async arrive(arrival) {
      order.push('arrive')
      if (refusal) return refusal
      arrivals.push(arrival)
      return { taken: true }
    },
    leave(remote) {
      order.push('leave')
      left.push(remote)
    },
  },
  options: {
    admission: {
      timeoutMs: 200,
      otherwise: 'deny',
      decide: (_, { remotePort }) => {
        if (remotePort === 3) throw new Error('undecided')
        return remotePort === 4 ? new Promise(() => undefined) : remotePort === 1
      },
    },
  },
})
t.teardown(() => gateway.stop())

const relayHello = {
  publicHost: 'relay.example.com',
  dataPort: 7_350,
  ticketKey: Buffer.alloc(32, 7).toString('base64url'),
  epoch: 'epoch-1',
  revision: 3,
  time: Date.now(),
}
const counts = { devices: 1, connections: 2, draining: false }
const status = (revision: number, allocations: object[] = [], rest: object = {}) => ({
  type: 'relay_status',
  revision,
  allocations,
  ...counts,
  time: Date.now() + 60_000,
  ...rest,
})
const allocation = (id: number): RelayAllocation => ({
  id,
  deviceId: 'd',
  protocol: 'tcp',
  port: 20_000 + id,
  target: { host: '127.0.0.1', port: 1 },
  paused: false,
})

async function relay(token: string): Promise<{ channel: Channel; arrival: RelayArrival }> {
  const before = arrivals.length
  const channel = await openChannel(gateway, token, false)
  channel.send({ ...hello, relay: relayHello })
  await channel.message('welcome')
  return { channel, arrival: arrivals[before] as RelayArrival }
}

t.test('a stand-alone relay is handed over, told and heard', async (t) => {
  const { id, token } = await database.device('server')
  const { channel, arrival } = await relay(token)
  t.match(await channel.message('welcome'), { deviceId: id, admission: { timeoutMs: 200, otherwise: 'deny' } })
  t.match(arrival, { hello: relayHello, version: '1.2.3', device: { id, name: 'box', organisationId: null } })
  const { remote } = arrival
  t.equal(remote.id, id)
  t.equal(remote.epoch, 'epoch-1')
  await t.rejects(remote.change({ revision: 5, upsert: [], remove: [] }), { code: 'TUNNEL_ERR_RELAY_UNANSWERED' })

  const conditions: object[] = []
  const connections: object[] = []
  const loads: object[] = []
  remote.on('allocation', (change) => void conditions.push(change))
  remote.on('connection', (end) => void connections.push(end))
  remote.onLoad((load) => void loads.push(load))
  const applied = remote.apply({ revision: 10, allocations: [allocation(1), allocation(2)] })
  t.match(await channel.message('relay_state'), {
    revision: 10,
    part: 0,
    parts: 1,
    allocations: [{ id: 1 }, { id: 2 }],
  })
  channel.send(
    status(10, [
      { id: 1, status: 'listening' },
      { id: 2, status: 'failed', error: 'EADDRINUSE' },
      { id: 99, status: 'listening' },
    ]),
  )
  await applied
  t.match(remote.status(), {
    running: true,
    revision: 10,
    allocations: [
      { allocationId: 1, port: 20_001, status: 'listening' },
      { allocationId: 2, status: 'failed', error: 'EADDRINUSE' },
    ],
  })
  t.same(remote.load(), counts)
  t.ok(Math.abs(remote.clockOffsetMs - 60_000) < 5_000)
  t.equal(loads.length, 1)

  const changed = remote.change({ revision: 12, upsert: [allocation(3)], remove: [2] })
  t.match(await channel.message('relay_change'), { base: 10, revision: 12, upsert: [{ id: 3 }], remove: [2] })
  channel.send(status(12, [{ id: 3, status: 'listening' }]))
  await changed
  t.same(
    remote.status().allocations.map(({ allocationId }) => allocationId),
    [1, 3],
  )
  t.match(conditions, [
    { allocationId: 1, status: 'listening' },
    { allocationId: 2, port: 20_002, status: 'failed' },
    { allocationId: 3, status: 'listening' },
    { allocationId: 2, port: 20_002, status: 'removed' },
  ])

  channel.send({
    type: 'relay_traffic',
    epoch: 'epoch-1',
    totals: [
      [1, 5, 6, 7, 1],
      [99, 1, 1, 1, 1],
    ],
  })
  await until('traffic', () => remote.traffic().length > 0)
  t.same(remote.traffic(), [{ allocationId: 1, bytesIn: 5, bytesOut: 6, connections: 7, open: 1 }])

  const end = { protocol: 'tcp', remoteAddress: '::1', remotePort: 9, bytesIn: 1, bytesOut: 2, durationMs: 3 }
  const ended = [
    { ...end, allocationId: 1, reason: 'end' },
    { ...end, allocationId: 2, reason: 'busy' },
    { ...end, allocationId: 99, reason: 'end' },
  ]
  channel.send({ type: 'relay_connections', ended, dropped: 0 })
  await until('connections', () => connections.length > 0)
  t.match(connections, [
    { allocationId: 1, phase: 'close' },
    { allocationId: 2, phase: 'refused' },
  ])

  const knock = { type: 'admission', allocationId: 1, protocol: 'tcp', remoteAddress: '::1' }
  for (const remotePort of [1, 2, 3, 4]) channel.send({ ...knock, id: remotePort, remotePort })
  const answers = () => channel.messages.filter(({ type }) => type === 'admission')
  await until('answers', () => answers().length === 2)
  t.same(answers(), [
    { type: 'admission', id: 1, allow: true },
    { type: 'admission', id: 2, allow: false },
  ])

  remote.disconnectDevice('d')
  t.match(await channel.message('relay_disconnect'), { deviceId: 'd' })

  const unanswered = remote.change({ revision: 13, upsert: [], remove: [1] })
  await channel.message('relay_change', 1)
  channel.socket.terminate()
  await t.rejects(unanswered, { code: 'TUNNEL_ERR_RELAY_UNANSWERED' })
  t.equal(remote.status().running, false)
  t.same(left.splice(0), [remote])
})

t.test('a state of thousands comes in parts', async (t) => {
  const { channel, arrival } = await relay((await database.device('server')).token)
  const applied = arrival.remote.apply({
    revision: 20,
    allocations: Array.from({ length: 10_000 }, (_, n) => allocation(n + 1)),
  })
  const parts = await until('all parts', () => {
    const messages = channel.messages.filter((message) => message.type === 'relay_state')
    return messages.length > 1 && messages.length === messages[0]?.parts ? messages : undefined
  })
  t.equal(parts.flatMap(({ allocations }) => allocations).length, 10_000)
  channel.send(status(20))
  await applied
  channel.socket.close()
  await until('it left', () => left.at(-1) === arrival.remote)
})

t.test('what is told before the welcome waits for it', async (t) => {
  const { token } = await database.device('server')
  const waiting: Promise<void>[] = []
  const other = await startGateway(database, {
    relayHost: {
      async arrive({ remote }) {
        waiting.push(remote.apply({ revision: 5, allocations: [] }))
        return { taken: true }
      },
      leave: () => undefined,
    },
  })
  t.teardown(() => other.stop())
  const channel = await openChannel(other, token, false)
  channel.send({ ...hello, relay: relayHello })
  await channel.message('relay_state')
  t.same(
    channel.messages.map(({ type }) => type),
    ['welcome', 'relay_state'],
  )
  channel.send(status(5))
  await waiting[0]
})

t.test('the newer channel of a relay comes after the older one has left', async (t) => {
  const { token } = await database.device('server')
  order.length = 0
  const first = await relay(token)
  const second = await relay(token)
  t.equal(await first.channel.closed, 4409)
  t.same(order, ['arrive', 'leave', 'arrive'])
  t.equal(left.at(-1), first.arrival.remote)
  second.channel.socket.close()
  await until('it left', () => left.at(-1) === second.arrival.remote)
})

t.test('a device of kind client is no relay, one of kind server no agent, and who steers may refuse', async (t) => {
  const client = await openChannel(gateway, (await database.device()).token, false)
  client.send({ ...hello, relay: relayHello })
  t.equal(await client.closed, 4400)
  t.match(client.messages, [{ type: 'error', error: 'wrong_kind', detail: /kind server/ }])
  const { token: relayToken } = await database.device('server')
  const { channel } = await relay(relayToken)
  const agent = await openChannel(gateway, relayToken, false)
  agent.send(hello)
  t.equal(await agent.closed, 4400, 'nor is one of kind server an agent')
  t.match(agent.messages, [{ type: 'error', error: 'wrong_kind', detail: /sallyport relay/ }])
  t.ok(channel.isOpen, 'and a mistake costs the relay nothing')

  const before = left.length
  refusal = { taken: false, error: 'no_room', detail: 'none' }
  const refused = await openChannel(gateway, (await database.device('server')).token, false)
  refused.send({ ...hello, relay: relayHello })
  t.equal(await refused.closed, 4400)
  t.match(refused.messages, [{ type: 'error', error: 'no_room' }])
  t.equal(left.length, before)
  refusal = undefined

  const none = await startGateway(database)
  t.teardown(() => none.stop())
  const lonely = await openChannel(none, (await database.device('server')).token, false)
  lonely.send({ ...hello, relay: relayHello })
  t.equal(await lonely.closed, 4400)
  t.match(lonely.messages, [{ type: 'error', error: 'relays_unsupported' }])
})

t.test('an agent says nothing of a relay, and a relay nothing of an agent', async (t) => {
  const { token } = await database.device('server')
  const client = await database.device()
  for (const message of [status(1), { type: 'relay_traffic', epoch: 'e', totals: [] }]) {
    const agent = await openChannel(gateway, client.token)
    agent.send(message)
    t.equal(await agent.closed, 4400)
  }
  const epoch = { type: 'relay_traffic', epoch: 'another', totals: [] }
  for (const message of [{ type: 'status', revision: 1, relays: [] }, hello, 'x', epoch]) {
    const { channel } = await relay(token)
    channel.send(message)
    t.equal(await channel.closed, 4400, JSON.stringify(message))
  }
  const { channel } = await relay(token)
  for (let n = 0; n < 3_000; n += 1) channel.send(status(1))
  t.equal(await channel.closed, 4400)
  t.match(channel.messages.at(-1), { error: 'too_many_messages' })
})
