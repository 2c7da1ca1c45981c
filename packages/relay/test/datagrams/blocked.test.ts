import t from 'tap'
import { until } from '../support.js'
import { startOnUdp, startPair } from './channel-pair.js'

t.test('where UDP is blocked a stream stands in; when UDP gets through it is taken again', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startPair(t, { timings: { lostMs: 5_000 } })
  pair.way.blocked = true
  pair.attach()
  await pair.onPath('stream')
  await pair.echoes('by stream')
  for (const size of [0, 1_200, 65_507]) {
    pair.atAgent.length = 0
    pair.relay.send(4, 9, Buffer.alloc(size, 3))
    await until(() => pair.atAgent.some(({ payload }) => payload.equals(Buffer.alloc(size, 3))), `${size} bytes`)
  }
  pair.way.blocked = false
  await pair.onPath('udp')
  await pair.echoes('by UDP')
  await until(() => pair.sockets.size === 0, 'the stream is closed')
  t.same(pair.agentPaths, ['stream', 'udp'])
})

t.test('where UDP is blocked and nobody needs it there is no stream, until the relay asks for one', async (t) => {
  const pair = await startPair(t, { timings: { keepAliveMs: 60_000, streamIdleMs: 1_000 } })
  let dialled = 0
  pair.streams.on('connection', () => {
    dialled += 1
  })
  pair.needed = false
  pair.way.blocked = true
  pair.attach()
  // Three tries and the rests between them.
  await until(() => pair.way.agentPorts.size >= 3, 'three tries over UDP')
  t.equal(dialled, 0, 'no stream for an agent without flows')
  pair.agent.wake()
  await pair.onPath('stream')
  await pair.echoes('awake')
  pair.echo = false
  await until(() => pair.agent.path === undefined && pair.relay.path === undefined, 'at rest again')
  await until(() => pair.sockets.size === 0, 'the stream is closed')
  t.equal(dialled, 1)
  pair.agent.wake()
  await pair.onPath('stream')
  await pair.echoes('awake again')
  t.equal(dialled, 2)
})

t.test('a stream stays while there are flows, however quiet', async (t) => {
  const pair = await startPair(t)
  pair.way.blocked = true
  pair.attach()
  await pair.onPath('stream')
  // Each after 400 ms without an answer, of which a stream that nobody needs lives 300.
  await pair.triesUdp(3)
  t.same(pair.agentPaths, ['stream'])
  t.equal(pair.sockets.size, 1)
})

for (const blocked of ['blockedToAgent', 'blockedToRelay'] as const) {
  t.test(`UDP that stops one way (${blocked}) is found out, and a stream taken`, async (t) => {
    const pair = await startOnUdp(t)
    pair.way[blocked] = true
    await pair.onPath('stream')
    await pair.echoes('by stream')
    pair.way[blocked] = false
    await pair.onPath('udp')
    await pair.echoes('by UDP')
  })

  t.test(`UDP that never comes one way (${blocked}): the stream serves, and stays`, async (t) => {
    const pair = await startPair(t)
    pair.way[blocked] = true
    pair.attach()
    await pair.onPath('stream')
    await pair.triesUdp(3)
    await pair.echoes('by stream')
    t.same(pair.agentPaths, ['stream'])
    t.same(pair.relayPaths, ['stream'])
  })
}

t.test('UDP that comes and goes: no storm, bounded streams, and it ends on UDP', async (t) => {
  const pair = await startPair(t)
  let dialled = 0
  pair.streams.on('connection', () => {
    dialled += 1
  })
  pair.attach()
  await pair.onPath('udp')
  pair.echo = true
  pair.way.seen = []
  let sent = 0
  const timer = setInterval(() => {
    for (let index = 0; index < 5; index += 1) if (pair.relay.send(4, 1, Buffer.alloc(100))) sent += 1
  }, 20)
  t.teardown(() => clearInterval(timer))
  const rounds = 6
  for (let round = 0; round < rounds; round += 1) {
    const blocked = round % 2 === 0
    pair.way.blocked = blocked
    await pair.onPath(blocked ? 'stream' : 'udp')
    const { length } = pair.atRelay
    await until(() => pair.atRelay.length > length + 100, 'datagrams come back')
    t.ok(pair.sockets.size <= 2, `${pair.sockets.size} streams`)
  }
  clearInterval(timer)
  await pair.onPath('udp')
  await pair.echoes('at last')
  await until(() => pair.sockets.size === 0, 'no stream is left')
  t.ok(dialled <= rounds * 2, `${dialled} streams in all`)
  t.ok(pair.way.seen.length < sent * 2 + 300, `${pair.way.seen.length} packets for ${sent} datagrams`)
  t.ok(pair.atRelay.length >= sent * 0.6, `${pair.atRelay.length} of ${sent} came back`)
})

t.test('UDP and streams both gone: nothing is sent; both sides say so; and it comes back', async (t) => {
  const pair = await startOnUdp(t)
  pair.way.blocked = true
  await pair.onPath('stream')
  pair.streams.on('connection', (socket) => {
    if (pair.way.blocked) socket.destroy()
  })
  for (const socket of pair.sockets) socket.destroy()
  await until(() => pair.agent.path === undefined, 'the agent knows')
  t.equal(pair.agent.send(4, 1, Buffer.alloc(1)), false)
  pair.way.blocked = false
  await pair.onPath('udp')
  await pair.echoes('again')
})
