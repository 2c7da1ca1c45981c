import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import type { AgentRefusal, RelayEvents } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import {
  addressOf,
  allocation,
  dial,
  ending,
  portOf,
  readAll,
  readBytes,
  startAgent,
  startEcho,
  startRelay,
  startService,
  startTunnel,
  until,
} from '../support.js'

t.test('a server that speaks first is heard before the player says anything', async (t) => {
  const { port: target } = await startService(t, (socket) => socket.write('220 hello\r\n'))
  const { port } = await startTunnel(t, target)
  const player = await dial(t, port)
  t.equal(String(await readBytes(player, 11)), '220 hello\r\n')
})

t.test('a player who has finished speaking still gets the answer', async (t) => {
  const { port: target } = await startService(t, (socket) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => socket.end(`got ${Buffer.concat(chunks).length}`))
  })
  const { port, relay } = await startTunnel(t, target)
  const player = await dial(t, port)
  player.end(Buffer.alloc(300_000))
  t.equal(String(await readAll(player)), 'got 300000')
  await until(() => relay.traffic()[0]?.open === 0)
  t.same(relay.traffic(), [{ allocationId: 1, bytesIn: 300_000, bytesOut: 10, connections: 1, open: 0 }])
})

t.test('a server that finishes first still hears the player', async (t) => {
  let heard = ''
  const { port: target } = await startService(t, (socket) => {
    socket.end('bye')
    socket.on('data', (chunk) => {
      heard += chunk
    })
  })
  const { port } = await startTunnel(t, target)
  const player = await dial(t, port)
  t.equal(String(await readAll(player)), 'bye')
  player.end('last words')
  await until(() => heard === 'last words')
  t.equal(heard, 'last words')
})

t.test('a reset passes through as a reset, either way', async (t) => {
  const { port: target, server } = await startService(t, (socket) => socket.write('x'))
  const { port } = await startTunnel(t, target)
  for (const fromPlayer of [true, false]) {
    const accepted = once(server, 'connection')
    const player = await dial(t, port)
    const [served] = await accepted
    await readBytes(player, 1)
    const [breaking, hearing] = fromPlayer ? [player, served] : [served, player]
    const seen = ending(hearing)
    breaking.resetAndDestroy()
    t.equal(await seen, 'ECONNRESET')
  }
})

t.test('32 MiB each way with equal hashes and exact counts', async (t) => {
  const size = 32 * 1024 * 1024
  const down = randomBytes(size)
  const up = randomBytes(size)
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  let received: Promise<Buffer> | undefined
  const { port: target } = await startService(t, (socket) => {
    received = readAll(socket)
    socket.end(down)
  })
  const { port, relay } = await startTunnel(t, target)
  const player = await dial(t, port)
  player.end(up)
  t.equal(sha256(await readAll(player)), sha256(down))
  t.equal(sha256((await received) ?? Buffer.alloc(0)), sha256(up))
  await until(() => relay.traffic()[0]?.open === 0)
  t.match(relay.traffic()[0], { bytesIn: size, bytesOut: size })
})

t.test('200 players at once', async (t) => {
  const { port: target } = await startEcho(t)
  const { port, relay, agent } = await startTunnel(t, target)
  const open = new Set<number>()
  agent.on('connection', ({ phase, remotePort }) => {
    if (phase === 'open') open.add(remotePort)
    else open.delete(remotePort)
  })
  await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      const player = await dial(t, port)
      const text = `player ${n} `.repeat(100)
      player.end(text)
      t.equal(String(await readAll(player)), text)
    }),
  )
  await until(() => relay.traffic()[0]?.open === 0 && open.size === 0)
  t.equal(relay.traffic()[0]?.connections, 200)
})

t.test('a refused target: the player is let go, the agent says it once and again when it is back', async (t) => {
  const { server } = await startService(t, (socket) => socket.end('up'))
  await new Promise((resolve) => server.close(resolve))
  const target = await freePort()
  const { port, relay, agent } = await startTunnel(t, target)
  const rejected: AgentRefusal[] = []
  const recovered: number[] = []
  const refused: RelayEvents['connection'][] = []
  agent.on('rejected', (refusal) => rejected.push(refusal))
  agent.on('recovered', ({ allocationId }) => recovered.push(allocationId))
  relay.on('connection', (event) => refused.push(event))
  for (let players = 0; players < 5; players += 1) t.equal(await ending(await dial(t, port)), 'ECONNRESET')
  t.match(rejected, [{ relayId: 'relay', allocationId: 1, error: 'target_refused' }])
  t.equal(rejected.length, 1)
  t.match(agent.refusals(), [{ allocationId: 1, error: 'target_refused' }])
  await until(() => refused.length === 5)
  t.match(refused[4], { phase: 'refused', reason: 'target_refused', bytesIn: 0 })
  t.match(relay.traffic()[0], { connections: 0, open: 0 })
  server.listen(target, '127.0.0.1')
  await once(server, 'listening')
  t.equal(String(await readAll(await dial(t, port))), 'up')
  t.same(recovered, [1])
  t.same(agent.refusals(), [])
})

t.test('a target beyond the rules is not dialled', async (t) => {
  let dialled = 0
  const { port: target } = await startService(t, () => {
    dialled += 1
  })
  const { port, agent } = await startTunnel(t, target, { agent: { allow: [] } })
  t.equal(await ending(await dial(t, port)), 'ECONNRESET')
  t.match(agent.refusals(), [{ error: 'target_forbidden' }])
  t.equal(dialled, 0)
})

t.test('without an agent the player is held for it, and then let go', async (t) => {
  const linkWaitMs = 100
  const relay = await startRelay(t, { limits: { linkWaitMs } })
  await relay.apply({ revision: 1, allocations: [allocation(1, 9)] })
  const reasons: unknown[] = []
  relay.on('connection', ({ reason }) => reasons.push(reason))
  const since = performance.now()
  t.equal(await ending(await dial(t, portOf(relay, 1))), 'ECONNRESET')
  t.ok(performance.now() - since > linkWaitMs - 10)
  t.same(reasons, ['no_link'])
})

t.test('players who come before the agent are served when it is there', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const early = [await dial(t, portOf(relay, 1)), await dial(t, portOf(relay, 1))]
  early[0]?.end('first')
  early[1]?.write('second')
  await startAgent(t, relay)
  const [first, second] = early as [Socket, Socket]
  t.equal(String(await readAll(first)), 'first')
  t.equal(String(await readBytes(second, 6)), 'second')
})

t.test('who waits, and ends without a word, is answered', async (t) => {
  const { port: target } = await startService(t, (socket) => socket.on('end', () => socket.end('bye')).resume())
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const player = await dial(t, portOf(relay, 1))
  player.end()
  const answer = readAll(player)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await startAgent(t, relay)
  t.equal(String(await answer), 'bye')
})

t.test(
  'players held for an agent: so many for one device, cut with their allocation, missed when they leave',
  async (t) => {
    const relay = await startRelay(t, { limits: { maxWaitingPerDevice: 2, linkWaitMs: 60_000 } })
    await relay.apply({ revision: 1, allocations: [allocation(1, 9), allocation(2, 9, { deviceId: 'device-2' })] })
    const events: string[] = []
    relay.on('connection', ({ allocationId, reason }) => events.push(`${allocationId} ${reason}`))
    const leaves = await dial(t, portOf(relay, 1))
    const stays = await dial(t, portOf(relay, 1))
    const other = await dial(t, portOf(relay, 2))
    t.equal(await ending(await dial(t, portOf(relay, 1))), 'ECONNRESET')
    t.same(events.splice(0), ['1 busy'])
    leaves.resetAndDestroy()
    await until(() => events.length === 1)
    t.same(events.splice(0), ['1 reset'])
    const [seen, cut] = [ending(stays), ending(other)]
    await relay.apply({ revision: 2, allocations: [] })
    await Promise.all([seen, cut])
    t.same(events.sort(), ['1 cut', '2 cut'])
  },
)

t.test('an agent that brings no data connection: the player is let go in time', async (t) => {
  const relay = await startRelay(t, { limits: { openTimeoutMs: 5_000 } })
  await startAgent(t, relay, { limits: { maxConnections: 1 } })
  const { port: target } = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const first = await dial(t, portOf(relay, 1))
  first.write('a')
  await readBytes(first, 1)
  const reasons: unknown[] = []
  relay.on('connection', ({ reason }) => reasons.push(reason))
  t.equal(await ending(await dial(t, portOf(relay, 1))), 'ECONNRESET')
  t.same(reasons, ['agent_busy'])
})

t.test('limits: connections in all and on one allocation', async (t) => {
  const { port: target } = await startEcho(t)
  for (const limit of ['maxConnections', 'maxConnectionsPerAllocation'] as const) {
    const { port, relay } = await startTunnel(t, target, { relay: { limits: { [limit]: 2 } } })
    const players = [await dial(t, port), await dial(t, port)]
    for (const player of players) {
      player.write('a')
      await readBytes(player, 1)
    }
    t.equal(await ending(await dial(t, port)), 'ECONNRESET')
    players[0]?.end()
    await until(() => relay.traffic()[0]?.open === 1)
    const next = await dial(t, port)
    next.write('b')
    t.equal(String(await readBytes(next, 1)), 'b', 'a place that is free again is given again')
  }
})

t.test('a player who leaves while waiting takes its place along', async (t) => {
  const relay = await startRelay(t)
  const { port: target } = await startEcho(t)
  await startAgent(t, relay)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const closed: unknown[] = []
  relay.on('connection', ({ phase }) => phase !== 'open' && closed.push(phase))
  for (let n = 0; n < 20; n += 1) (await dial(t, portOf(relay, 1))).resetAndDestroy()
  await until(() => closed.length === 20 && relay.traffic()[0]?.open === 0)
  const player = await dial(t, portOf(relay, 1))
  player.write('still here')
  t.equal(String(await readBytes(player, 10)), 'still here')
})

t.test('stop lets players finish for the grace time and cuts those who do not', async (t) => {
  const { port: target } = await startEcho(t)
  const { port, relay } = await startTunnel(t, target)
  const finishing = await dial(t, port)
  finishing.write('a')
  await readBytes(finishing, 1)
  const stopped = relay.stop({ graceMs: 60_000 })
  finishing.end('b')
  t.equal(String(await readAll(finishing)), 'b')
  await stopped

  const second = await startTunnel(t, target)
  const staying = await dial(t, second.port)
  staying.write('a')
  await readBytes(staying, 1)
  const seen = ending(staying)
  await second.relay.stop({ graceMs: 20 })
  t.equal(await seen, 'ECONNRESET')
})

t.test('an agent that stops cuts its players and closes its local sockets', async (t) => {
  const { port: target, server } = await startService(t, (socket) => socket.write('x'))
  const { port, agent } = await startTunnel(t, target)
  const accepted = once(server, 'connection')
  const player = await dial(t, port)
  await readBytes(player, 1)
  const [served] = await accepted
  const seen = [ending(player), ending(served)]
  await agent.stop()
  t.same(await Promise.all(seen), ['ECONNRESET', 'ECONNRESET'])
  t.throws(() => agent.connect({ id: 'r', host: 'h', port: 1, ticket: 't' }), { code: 'RELAY_ERR_STOPPED' })
})

t.test('one agent serves two relays', async (t) => {
  const { port: target } = await startEcho(t)
  const first = await startTunnel(t, target, { relay: { id: 'first' } })
  const second = await startRelay(t, { id: 'second' })
  first.agent.connect(addressOf(second))
  await until(() => second.devices().length === 1)
  await second.apply({ revision: 1, allocations: [allocation(7, target)] })
  for (const port of [first.port, portOf(second, 7)]) {
    const player = await dial(t, port)
    player.end('hello')
    t.equal(String(await readAll(player)), 'hello')
  }
})
