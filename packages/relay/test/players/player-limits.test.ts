import type { Socket } from 'node:net'
import t from 'tap'
import type { AllocationOptions, Relay } from '../../dist/index.js'
import {
  allocation,
  connectionEvents,
  dial,
  ending,
  portOf,
  readBytes,
  startEcho,
  startTunnel,
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'

/** Changes the options of allocation 1 and nothing else. */
function changer(relay: Relay, target: number, protocol: 'tcp' | 'udp' = 'tcp') {
  return (options: AllocationOptions) =>
    relay.change({
      revision: relay.status().revision + 1,
      upsert: [allocation(1, target, { protocol, options })],
      remove: [],
    })
}

async function echoed(socket: Socket): Promise<Socket> {
  socket.write('a')
  await readBytes(socket, 1)
  return socket
}

async function udpEchoes(player: Awaited<ReturnType<typeof udpSocket>>, port: number): Promise<void> {
  let heard = false
  const answer = () => {
    heard = true
  }
  player.on('message', answer)
  await until(() => {
    player.send('a', port, '127.0.0.1')
    return heard
  })
  player.off('message', answer)
}

t.test('allow and deny: others are refused, and a change cuts who may not be there any more', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port } = await startTunnel(t, target, { allocation: { options: { allow: ['127.0.0.1'] } } })
  const events = connectionEvents(relay)
  const change = changer(relay, target)
  const first = await echoed(await dial(t, port))
  await ending(await dial(t, port, '127.0.0.2'))
  t.match(events.at(-1), { phase: 'refused', reason: 'denied', remoteAddress: '127.0.0.2', durationMs: 0 })

  await change({ allow: ['127.0.0.0/8'] })
  const second = await echoed(await dial(t, port, '127.0.0.2'))
  const gone = ending(first)
  await change({ deny: ['127.0.0.1'] })
  t.equal(await gone, 'ECONNRESET')
  t.match(events.at(-1), { phase: 'close', reason: 'denied', remoteAddress: '127.0.0.1', bytesIn: 1, bytesOut: 1 })
  await echoed(second)
  await change({ allow: ['127.0.0.2'], deny: ['127.0.0.2'] })
  t.equal(await ending(second), 'ECONNRESET', 'deny is the stronger')
  await change({ allow: [] })
  await echoed(await dial(t, port))
  t.equal(portOf(relay, 1), port)
})

t.test('allow and deny for datagrams', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, port } = await startTunnel(t, target.port, { allocation: { protocol: 'udp' } })
  const events = connectionEvents(relay)
  const change = changer(relay, target.port, 'udp')
  const player = await udpSocket(t)
  await udpEchoes(player, port)
  await change({ deny: ['127.0.0.1'] })
  t.match(events.at(-1), { phase: 'close', reason: 'denied' })
  const before = events.length
  for (let n = 0; n < 20; n += 1) player.send('no', port, '127.0.0.1')
  await change({ deny: ['127.0.0.2'] })
  await udpEchoes(player, port)
  t.equal(events.length, before + 1, 'one flow was let in, and no event came of what was not')
  await change({ allow: ['127.0.0.2'] })
  t.match(events.at(-1), { phase: 'close', reason: 'denied' })
  await change({ allow: ['127.0.0.0/8'] })
  await udpEchoes(player, port)
})

t.test('maxConnections refuses who comes when it is full, and leaves who is there', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port } = await startTunnel(t, target, { allocation: { options: { maxConnections: 2 } } })
  const events = connectionEvents(relay)
  const change = changer(relay, target)
  const players = [await echoed(await dial(t, port)), await echoed(await dial(t, port))]
  await ending(await dial(t, port))
  t.match(events.at(-1), { phase: 'refused', reason: 'busy' })
  await change({ maxConnections: 1 })
  for (const player of players) await echoed(player)
  players[0]?.destroy()
  await until(() => relay.traffic()[0]?.open === 1)
  await ending(await dial(t, port))
  t.match(events.at(-1), { phase: 'refused', reason: 'busy' })
  await change({})
  await echoed(await dial(t, port))
  t.equal(relay.traffic()[0]?.open, 2)
})

t.test('maxConnections for datagrams counts flows', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, port } = await startTunnel(t, target.port, {
    allocation: { protocol: 'udp', options: { maxConnections: 1 } },
  })
  const [first, second] = [await udpSocket(t), await udpSocket(t)]
  await udpEchoes(first, port)
  for (let n = 0; n < 20; n += 1) second.send('no', port, '127.0.0.1')
  await udpEchoes(first, port)
  t.equal(relay.traffic()[0]?.connections, 1)
  await changer(relay, target.port, 'udp')({ maxConnections: 2 })
  await udpEchoes(second, port)
  t.equal(relay.traffic()[0]?.connections, 2)
  await changer(relay, target.port, 'udp')({ maxConnections: 1 })
  const third = await udpSocket(t)
  for (let n = 0; n < 20; n += 1) third.send('no', port, '127.0.0.1')
  for (const present of [first, second]) await udpEchoes(present, port)
  t.match(relay.traffic(), [{ connections: 2, open: 2 }], 'who is there stays')
})

t.test('idleTimeout lets go of who says nothing, not of who does', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port } = await startTunnel(t, target, { allocation: { options: { idleTimeout: 1 } } })
  const events = connectionEvents(relay)
  const talks = await echoed(await dial(t, port))
  const talking = setInterval(() => talks.write('b'), 200)
  t.teardown(() => clearInterval(talking))
  talks.resume()
  const startedAt = performance.now()
  t.equal(await ending(await echoed(await dial(t, port))), 'ECONNRESET')
  const seconds = (performance.now() - startedAt) / 1_000
  t.ok(seconds > 0.9 && seconds < 3, `${seconds} s`)
  await until(() => events.some(({ reason }) => reason === 'idle'))
  t.match(
    events.filter(({ phase }) => phase === 'close'),
    [{ reason: 'idle', bytesIn: 1, bytesOut: 1 }],
  )
  t.equal(relay.traffic()[0]?.open, 1)
})

t.test('idleTimeout, set and lifted while players are there', async (t) => {
  const tcp = (await startEcho(t)).port
  const udp = (await startUdpEcho(t)).port
  for (const [protocol, target] of [
    ['tcp', tcp],
    ['udp', udp],
  ] as const) {
    const { relay, port } = await startTunnel(t, target, { allocation: { protocol } })
    const timed = allocation(2, target, { protocol, options: { idleTimeout: 1 } })
    await relay.change({ revision: 2, upsert: [timed], remove: [] })
    const events = connectionEvents(relay)
    const ended = () => events.filter(({ phase }) => phase === 'close')
    const change = changer(relay, target, protocol)
    const come = async (at: number) =>
      protocol === 'tcp' ? echoed(await dial(t, at)) : udpEchoes(await udpSocket(t), at)
    await come(port)
    await change({ idleTimeout: 1 })
    await change({})
    // Who comes later, and where it is in force, is the first to go.
    await come(portOf(relay, 2))
    await until(() => ended().length > 0)
    t.match(ended(), [{ allocationId: 2, reason: 'idle' }])
    await change({ idleTimeout: 1 })
    await until(() => ended().length > 1)
    t.match(ended(), [{}, { allocationId: 1, reason: 'idle' }])
  }
})
