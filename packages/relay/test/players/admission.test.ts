import type { Socket } from 'node:net'
import t from 'tap'
import type { Admission, PlayerKnock, Relay, RelayOptions } from '../../dist/index.js'
import { createRelay, memoryStorage } from '../../dist/index.js'
import {
  allocation,
  connectionEvents,
  dial,
  ending,
  portOf,
  readAll,
  readBytes,
  startAgent,
  startEcho,
  startTunnel,
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'

type Test = Pick<typeof t, 'teardown'>

/** An admission whose answers the test gives. */
function desk(terms: Omit<Admission, 'decide'> = {}) {
  const asked: { knock: PlayerKnock; answer: (allowed: boolean) => void; fail: () => void }[] = []
  const decide = (knock: PlayerKnock) =>
    new Promise<boolean>((resolve, reject) =>
      asked.push({ knock, answer: resolve, fail: () => reject(new Error('away')) }),
    )
  return { asked, admission: { decide, ...terms } }
}

/** An echo, and how many connections reached it. */
async function tunnelled(t: Test, relayOptions: RelayOptions) {
  const { port: target, server } = await startEcho(t)
  const reached = { count: 0 }
  server.on('connection', () => {
    reached.count += 1
  })
  const { relay, port, agent } = await startTunnel(t, target, { relay: relayOptions })
  return { relay, port, agent, target, reached, events: connectionEvents(relay) }
}

async function echoes(socket: Socket): Promise<boolean> {
  socket.write('a')
  return String(await readBytes(socket, 1)) === 'a'
}

t.test('each connection is asked about once, before the agent hears of it', async (t) => {
  const { asked, admission } = desk()
  const { port, reached, events } = await tunnelled(t, { admission })
  const [first, second] = [await dial(t, port), await dial(t, port)]
  await until(() => asked.length === 2)
  t.same(
    asked.map(({ knock }) => knock),
    [first, second].map(({ localPort }) => ({
      allocationId: 1,
      protocol: 'tcp',
      remoteAddress: '127.0.0.1',
      remotePort: localPort,
    })),
  )
  t.equal(reached.count, 0)
  asked[0]?.answer(true)
  t.ok(await echoes(first))
  const { localPort: remotePort } = second
  asked[1]?.answer(false)
  t.not(await ending(second), 'no answer')
  t.match(events.at(-1), { phase: 'refused', reason: 'denied', remotePort })
  t.equal(reached.count, 1)
  t.equal(asked.length, 2)
})

t.test('no answer in time, a rejection, a throw, nonsense: what holds otherwise', async (t) => {
  const silent = () => new Promise<boolean>(() => {})
  const broken: Admission['decide'][] = [
    silent,
    () => Promise.reject(new Error('away')),
    () => {
      throw new Error('broken')
    },
    () => 'yes' as unknown as boolean,
    () => Promise.resolve(1 as unknown as boolean),
  ]
  const { relay, port, events } = await tunnelled(t, {})
  for (const decide of broken) {
    relay.setAdmission({ decide, timeoutMs: 20 })
    t.ok(await echoes(await dial(t, port)), 'allow is the default')
    relay.setAdmission({ decide, timeoutMs: 20, otherwise: 'deny' })
    await ending(await dial(t, port))
    t.match(events.at(-1), { phase: 'refused', reason: 'denied' })
  }
  relay.setAdmission(undefined)
  t.ok(await echoes(await dial(t, port)))
})

t.test('when too many wait, what holds otherwise holds at once', async (t) => {
  const { asked, admission } = desk({ otherwise: 'deny', timeoutMs: 10_000 })
  const { port, events } = await tunnelled(t, { admission, limits: { maxWaitingAdmissions: 1 } })
  const waits = await dial(t, port)
  await until(() => asked.length === 1)
  await ending(await dial(t, port))
  t.match(events.at(-1), { reason: 'denied' })
  t.equal(asked.length, 1)
  asked[0]?.answer(true)
  t.ok(await echoes(waits))
  const next = await dial(t, port)
  await until(() => asked.length === 2)
  asked[1]?.answer(true)
  t.ok(await echoes(next), 'the place is free again')
})

t.test('one allocation has no more than its share of the questions', async (t) => {
  const { asked, admission } = desk({ otherwise: 'deny', timeoutMs: 10_000 })
  const { relay, port, target } = await tunnelled(t, { admission, limits: { maxWaitingAdmissions: 8 } })
  await relay.change({ revision: 2, upsert: [allocation(2, target)], remove: [] })
  for (let players = 0; players < 2; players += 1) await dial(t, port)
  await until(() => asked.length === 2)
  await ending(await dial(t, port))
  t.equal(asked.length, 2)
  const other = await dial(t, portOf(relay, 2))
  await until(() => asked.length === 3)
  asked[2]?.answer(true)
  t.ok(await echoes(other))
})

t.test('an answer that only looks like a promise does no harm', async (t) => {
  const thenable = {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    then() {
      throw new Error('not a promise')
    },
  }
  const decide = () => thenable as unknown as Promise<boolean>
  const { port, events } = await tunnelled(t, { admission: { decide, otherwise: 'deny' } })
  await ending(await dial(t, port))
  t.match(events, [{ reason: 'denied' }])
})

t.test('what holds without an answer is kept over a restart, until it is said anew', async (t) => {
  const storage = memoryStorage()
  const away = { decide: () => Promise.reject(new Error('away')), otherwise: 'deny' as const }
  const { port: target } = await startEcho(t)
  const restarted = async (more: RelayOptions = {}, before: (relay: Relay) => void = () => {}) => {
    const relay = createRelay({ dataPort: 0, storage, ...more })
    t.teardown(() => relay.stop())
    before(relay)
    await relay.start()
    await startAgent(t, relay)
    return relay
  }
  const letIn = async (relay: Relay) => {
    const player = await dial(t, portOf(relay, 1))
    player.end('a')
    return (await readAll(player).catch(() => '')).length === 1
  }
  const first = await restarted()
  await first.apply({ revision: 1, allocations: [allocation(1, target)] })
  t.ok(await letIn(first))
  first.setAdmission(away)
  t.notOk(await letIn(first))
  await first.stop()
  const second = await restarted()
  t.notOk(await letIn(second), 'nobody has said anything yet')
  await second.stop()
  const own = await restarted({ admission: { decide: () => true } })
  t.ok(await letIn(own), 'its own admission comes first')
  await own.stop()
  const early = await restarted({}, (relay) => relay.setAdmission(undefined))
  t.ok(await letIn(early), 'said before the start')
  await early.stop()
  t.ok(await letIn(await restarted()))
})

t.test('a player who leaves meanwhile is dropped, and so is one whose allocation goes', async (t) => {
  const { asked, admission } = desk({ timeoutMs: 10_000 })
  const { relay, port, events, reached } = await tunnelled(t, { admission })
  const leaves = await dial(t, port)
  await until(() => asked.length === 1)
  leaves.resetAndDestroy()
  await until(() => events.length === 1)
  t.match(events, [{ phase: 'refused', reason: 'reset' }])
  asked[0]?.answer(true)
  const cut = await dial(t, port)
  await until(() => asked.length === 2)
  const seen = ending(cut)
  await relay.apply({ revision: 2, allocations: [] })
  await seen
  t.match(events.at(-1), { phase: 'refused', reason: 'cut' })
  asked[1]?.answer(true)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(reached.count, 0)
  t.equal(events.length, 2)
})

t.test('nobody is asked about a player whom no agent could serve', async (t) => {
  const { asked, admission } = desk()
  const { port, agent, relay, events } = await tunnelled(t, { admission, limits: { linkWaitMs: 20 } })
  await agent.stop()
  await until(() => relay.devices().length === 0)
  await ending(await dial(t, port))
  t.match(events, [{ reason: 'no_link' }])
  t.equal(asked.length, 0)
})

t.test('datagrams: asked once for a flow, what came meanwhile is kept in order', async (t) => {
  const { asked, admission } = desk({ timeoutMs: 10_000 })
  const target = await startUdpEcho(t)
  const { port, relay } = await startTunnel(t, target.port, {
    relay: { admission },
    allocation: { protocol: 'udp' },
  })
  const player = await udpSocket(t)
  const heard: string[] = []
  player.on('message', (payload) => heard.push(String(payload)))
  for (const text of ['one', 'two']) player.send(text, port, '127.0.0.1')
  await until(() => asked.length === 1)
  t.same(asked[0]?.knock, {
    allocationId: 1,
    protocol: 'udp',
    remoteAddress: '127.0.0.1',
    remotePort: player.port,
  })
  t.equal(relay.traffic()[0]?.bytesIn, 0)
  asked[0]?.answer(true)
  await until(() => heard.length === 2)
  t.same(heard, ['one', 'two'])
  t.equal(asked.length, 1)
})

t.test('datagrams: who is refused is told of once, and not asked about again at once', async (t) => {
  let asked = 0
  const decide = () => {
    asked += 1
    return Promise.resolve(false)
  }
  const target = await startUdpEcho(t)
  const { port, relay } = await startTunnel(t, target.port, {
    relay: { admission: { decide } },
    allocation: { protocol: 'udp' },
  })
  const events = connectionEvents(relay)
  const player = await udpSocket(t)
  player.send('no', port, '127.0.0.1')
  await until(() => events.length === 1)
  t.match(events, [{ phase: 'refused', reason: 'denied', protocol: 'udp' }])
  for (let n = 0; n < 20; n += 1) player.send('no', port, '127.0.0.1')
  const other = await udpSocket(t)
  other.send('no', port, '127.0.0.1')
  await until(() => events.length === 2)
  t.equal(asked, 2)
})

t.test('a flow that waits for its answer is cut with its allocation', async (t) => {
  const { asked, admission } = desk({ timeoutMs: 10_000 })
  const target = await startUdpEcho(t)
  const { port, relay } = await startTunnel(t, target.port, {
    relay: { admission },
    allocation: { protocol: 'udp' },
  })
  const events = connectionEvents(relay)
  const player = await udpSocket(t)
  player.send('a', port, '127.0.0.1')
  await until(() => asked.length === 1)
  await relay.apply({ revision: 2, allocations: [allocation(2, target.port)] })
  t.match(events, [{ phase: 'refused', reason: 'cut' }])
  asked[0]?.answer(true)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(events.length, 1)
})

t.test('an admission that cannot be used is refused', async (t) => {
  const decide = () => true
  const bad = [
    { decide: 1 },
    { decide, timeoutMs: 0 },
    { decide, timeoutMs: 60_001 },
    { decide, timeoutMs: 1.5 },
    { decide, otherwise: 'maybe' },
  ] as unknown as Admission[]
  const relay = createRelay()
  for (const admission of bad) {
    t.throws(() => relay.setAdmission(admission), { code: 'RELAY_ERR_INVALID_OPTION' })
    t.throws(() => createRelay({ admission }), { code: 'RELAY_ERR_INVALID_OPTION' })
  }
})
