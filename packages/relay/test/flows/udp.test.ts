import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import type { RelayEvents } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import {
  addressOf,
  allocation,
  portOf,
  startAgent,
  startRelay,
  startTunnel,
  startUdpEcho,
  udpSocket,
  until,
  within,
} from '../support.js'

type Udp = Awaited<ReturnType<typeof udpSocket>>

async function ask(player: Udp, port: number, payload: Buffer): Promise<Buffer> {
  const answer = within(once(player, 'message'), 'a datagram')
  player.send(payload, port, '127.0.0.1')
  const [reply] = (await answer) as [Buffer]
  return reply
}

const udp = { allocation: { protocol: 'udp' as const } }

t.test('every size from 0 to 1,472 bytes comes back as it was, and the largest', async (t) => {
  const target = await startUdpEcho(t)
  const { port, relay } = await startTunnel(t, target.port, udp)
  const player = await udpSocket(t)
  const sizes = [...Array.from({ length: 1_473 }, (_, size) => size), 9_000, 65_507]
  let wrong = 0
  for (const size of sizes) {
    const payload = randomBytes(size)
    if (!payload.equals(await ask(player, port, payload))) wrong += 1
  }
  t.equal(wrong, 0)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  t.match(relay.traffic(), [{ bytesIn: total, bytesOut: total, connections: 1, open: 1 }])
})

t.test('two players are kept apart', async (t) => {
  const seen = new Set<number>()
  const target = await startUdpEcho(t)
  target.on('message', (_, from) => seen.add(from.port))
  const { port, relay } = await startTunnel(t, target.port, udp)
  const players = [await udpSocket(t), await udpSocket(t)]
  const answers = await Promise.all(
    players.map(async (player, n) => {
      const replies: string[] = []
      for (let round = 0; round < 50; round += 1)
        replies.push(String(await ask(player, port, Buffer.from(`player ${n} round ${round}`))))
      return replies
    }),
  )
  for (const [n, replies] of answers.entries())
    t.ok(
      replies.every((reply, round) => reply === `player ${n} round ${round}`),
      `player ${n}`,
    )
  t.equal(seen.size, 2, 'the server can tell them apart')
  t.equal(relay.traffic()[0]?.open, 2)
})

t.test('a flow without traffic ends, and begins again with the next datagram', async (t) => {
  const target = await startUdpEcho(t)
  const { port, relay, agent } = await startTunnel(t, target.port, {
    ...udp,
    relay: { limits: { udpIdleMs: 1_500, udpUnansweredMs: 1_500 } },
  })
  const closed: RelayEvents['connection'][] = []
  let agentClosed = 0
  relay.on('connection', (event) => event.phase === 'close' && closed.push(event))
  agent.on('connection', ({ phase }) => {
    if (phase === 'close') agentClosed += 1
  })
  const player = await udpSocket(t)
  await ask(player, port, Buffer.from('one'))
  await until(() => closed.length === 1 && agentClosed === 1)
  t.match(closed[0], { reason: 'idle', bytesIn: 3, bytesOut: 3, protocol: 'udp', remotePort: player.port })
  t.equal(String(await ask(player, port, Buffer.from('two'))), 'two')
})

t.test('flows are bounded, on the allocation and from one source', async (t) => {
  const target = await startUdpEcho(t)
  for (const limit of ['maxUdpFlowsPerAllocation', 'maxUdpFlowsPerSource'] as const) {
    const { port, relay } = await startTunnel(t, target.port, { ...udp, relay: { limits: { [limit]: 2 } } })
    const players = [await udpSocket(t), await udpSocket(t)]
    // Twice: who has sent once makes room after a second.
    for (const player of players) for (const text of ['a', 'b']) await ask(player, port, Buffer.from(text))
    const third = await udpSocket(t)
    let heard = 0
    third.on('message', () => {
      heard += 1
    })
    for (let n = 0; n < 10; n += 1) third.send('b', port, '127.0.0.1')
    for (const player of players) await ask(player, port, Buffer.from('c'))
    t.equal(heard, 0)
    t.match(relay.traffic(), [{ connections: 2, open: 2 }])
  }
})

t.test('a full port takes newcomers instead of who may be forged, but never of a player', async (t) => {
  const target = await startUdpEcho(t)
  for (const hasSentAgain of [false, true]) {
    const { port, relay } = await startTunnel(t, target.port, {
      ...udp,
      relay: { limits: { maxUdpFlowsPerAllocation: 1 } },
    })
    const ends: unknown[] = []
    relay.on('connection', ({ reason }) => reason !== undefined && ends.push(reason))
    const first = await udpSocket(t)
    await ask(first, port, Buffer.from('a'))
    if (hasSentAgain) await ask(first, port, Buffer.from('b'))
    const second = await udpSocket(t)
    let heard = 0
    second.on('message', () => {
      heard += 1
    })
    const begun = performance.now()
    await until(() => {
      second.send('c', port, '127.0.0.1')
      return heard > 0 || (hasSentAgain && performance.now() - begun > 1_500)
    })
    t.equal(heard > 0, !hasSentAgain)
    t.same(ends, hasSentAgain ? [] : ['busy'])
  }
})

t.test('a server that is not there yet is reached by the same flow when it is', async (t) => {
  const target = await freePort()
  const { port, relay } = await startTunnel(t, target, udp)
  const player = await udpSocket(t)
  const heard: string[] = []
  player.on('message', (payload) => heard.push(String(payload)))
  // Twice, so that the refusal of the first (ICMP) is met by the second.
  for (const bytesIn of [5, 10]) {
    player.send('hello', port, '127.0.0.1')
    await until(() => relay.traffic()[0]?.bytesIn === bytesIn)
  }
  const server = createSocket('udp4').bind(target, '127.0.0.1')
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  server.on('message', (payload, from) => server.send(payload, from.port, from.address))
  await until(() => {
    player.send('again', port, '127.0.0.1')
    return heard.includes('again')
  })
  t.match(relay.traffic(), [{ open: 1, connections: 1 }])
})

t.test('a new target cuts the flows, and the next datagram goes there', async (t) => {
  const first = await startUdpEcho(t)
  const second = await udpSocket(t)
  second.on('message', (_, from) => second.send('second', from.port, from.address))
  const { port, relay } = await startTunnel(t, first.port, udp)
  const player = await udpSocket(t)
  await ask(player, port, Buffer.from('a'))
  await relay.apply({ revision: 2, allocations: [allocation(1, second.port, { protocol: 'udp' })] })
  t.equal(String(await ask(player, port, Buffer.from('b'))), 'second')
  t.equal(portOf(relay, 1), port)
})

t.test('a forbidden target: nothing is sent and the flow ends', async (t) => {
  const target = await startUdpEcho(t)
  let heard = 0
  target.on('message', () => {
    heard += 1
  })
  const { port, relay, agent } = await startTunnel(t, target.port, { ...udp, agent: { allow: [] } })
  const reasons: unknown[] = []
  relay.on('connection', ({ reason }) => reasons.push(reason))
  const player = await udpSocket(t)
  player.send('a', port, '127.0.0.1')
  await until(() => reasons.length === 1)
  t.same(reasons, ['target_forbidden'])
  t.match(agent.refusals(), [{ error: 'target_forbidden', protocol: 'udp' }])
  t.equal(heard, 0)
})

t.test('a burst is passed on or dropped, but never held without bound', async (t) => {
  const target = await startUdpEcho(t)
  const { port, relay } = await startTunnel(t, target.port, { ...udp, relay: { limits: { maxUdpBufferBytes: 4_096 } } })
  const player = await udpSocket(t)
  for (let n = 0; n < 500; n += 1) player.send(Buffer.alloc(1_000), port, '127.0.0.1')
  await until(() => relay.traffic()[0]?.open === 1)
  let back = 0
  player.on('message', () => {
    back += 1
  })
  await until(async () => {
    player.send('x', port, '127.0.0.1')
    return back > 0
  })
  t.ok((relay.traffic()[0]?.bytesIn ?? 0) <= 500_000 + 2_000)
})

t.test('another agent of the device serves the flows that there are, and their players stay', async (t) => {
  const target = await startUdpEcho(t)
  const { port, relay, agent } = await startTunnel(t, target.port, udp)
  const player = await udpSocket(t)
  await ask(player, port, Buffer.from('a'))
  await agent.stop()
  await until(() => relay.devices().length === 0)
  await startAgent(t, relay)
  await echoes(player, port, 'b')
  t.match(relay.traffic(), [{ connections: 1, open: 1 }])
})

t.test('a relay that was restarted: the agent’s old flows end and the player goes on', async (t) => {
  const target = await startUdpEcho(t)
  const seen = new Set<number>()
  target.on('message', (_, from) => seen.add(from.port))
  const { port, relay, agent } = await startTunnel(t, target.port, {
    relay: { dataPort: await freePort() },
    allocation: { protocol: 'udp', port: await freePort() },
  })
  const events: string[] = []
  agent.on('connection', ({ phase, reason }) => events.push(reason ?? phase))
  const player = await udpSocket(t)
  await ask(player, port, Buffer.from('a'))
  const { dataPort } = relay
  await relay.stop()
  const ticket = { id: relay.id, host: '127.0.0.1' }
  const next = await startRelay(t, { dataPort })
  await next.apply({ revision: 1, allocations: [allocation(1, target.port, { protocol: 'udp', port })] })
  agent.connect({ ...addressOf(next), ...ticket })
  await until(() => next.devices().length === 1)
  await echoes(player, port, 'b')
  t.equal(seen.size, 2)
  t.equal(events.filter((event) => event === 'open').length, 2)
  t.ok(events.includes('cut') || events.includes('end'), 'the flow of before has ended')
})

t.test('the target is told who speaks, in front of the first datagram only', async (t) => {
  const target = await udpSocket(t)
  const seen: Buffer[] = []
  target.on('message', (payload) => seen.push(payload))
  const options = { protocol: 'udp' as const, options: { proxyProtocol: 'v2' as const } }
  const { port, relay } = await startTunnel(t, target.port, { allocation: options })
  const player = await udpSocket(t)
  for (const text of ['one', 'two']) {
    player.send(text, port, '127.0.0.1')
    await until(() => seen.length === (text === 'one' ? 1 : 2))
  }
  const [first = Buffer.alloc(0), second] = seen
  t.equal(String(first.subarray(-3)), 'one')
  t.equal(first.length, 28 + 3)
  t.equal(first.readUInt16BE(24), player.port)
  t.equal(first.readUInt16BE(26), port)
  t.equal(String(second), 'two')
  t.match(relay.traffic(), [{ bytesIn: 6 }], 'payload only')
})

t.test('a player of a device without a link leaves nothing behind', async (t) => {
  const relay = await startRelay(t)
  const events: unknown[] = []
  relay.on('connection', (event) => events.push(event))
  await relay.apply({ revision: 1, allocations: [allocation(1, 9, { protocol: 'udp' })] })
  const player = await udpSocket(t)
  for (let n = 0; n < 50; n += 1) player.send('x', portOf(relay, 1), '127.0.0.1')
  const target = await startUdpEcho(t)
  await relay.apply({ revision: 2, allocations: [allocation(1, target.port, { protocol: 'udp' })] })
  await startAgent(t, relay)
  await echoes(player, portOf(relay, 1), 'y')
  t.match(events, [{ phase: 'open' }])
})

/** Sends until it is answered; what is under way while the agent changes may be lost. */
async function echoes(player: Udp, port: number, text: string): Promise<void> {
  const heard: string[] = []
  const hear = (payload: Buffer) => heard.push(String(payload))
  player.on('message', hear)
  await until(() => {
    player.send(text, port, '127.0.0.1')
    return heard.includes(text)
  })
  player.off('message', hear)
}
