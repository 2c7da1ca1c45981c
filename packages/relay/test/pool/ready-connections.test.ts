import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import t from 'tap'
import { Emitter } from '../../dist/emitter.js'
import { TicketMemory } from '../../dist/identity/ticket-memory.js'
import { createAgent, type Relay, type RelayEvents, type RelayOptions } from '../../dist/index.js'
import { encodeFrame } from '../../dist/link/frame.js'
import { encodeMessage, FrameType, PROTOCOL_VERSION } from '../../dist/link/protocol.js'
import { Admissions } from '../../dist/players/admissions.js'
import { resolveRelayOptions } from '../../dist/relay-options.js'
import { createRelayParts, openDataPort } from '../../dist/relay-parts.js'
import { freePort } from '../free-port.js'
import {
  addressOf,
  allocation,
  DEVICE,
  dial,
  dialData,
  ending,
  linked,
  portOf,
  readAll,
  readBytes,
  startEcho,
  startRelay,
  startService,
  until,
} from '../support.js'
import { startWire, type Wire } from '../wire.js'

type Test = Pick<typeof t, 'teardown'>

/** A relay with one TCP allocation, and its agent, whose connections are counted on their way. */
async function startWired(t: Test, target: number, options: RelayOptions = {}) {
  const relay = await startRelay(t, options)
  const wire = await startWire(t, relay)
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  // Data connections come over the wire too: they go where the link went.
  agent.connect({ ...addressOf(relay), port: wire.port })
  await linked(relay, agent)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  return { relay, wire, agent, port: portOf(relay, 1) }
}

async function echoed(socket: Socket, text: string): Promise<void> {
  socket.write(text)
  t.equal(String(await readBytes(socket, text.length)), text)
}

/** The link, one connection that is ready, and the stream for datagrams, since UDP does not pass over the wire. */
function atRest({ open }: Wire): boolean {
  return open === 2 || open === 3
}

function reasonsOf(relay: Relay): (string | undefined)[] {
  const reasons: (string | undefined)[] = []
  relay.on('connection', ({ phase, reason }: RelayEvents['connection']) => phase !== 'open' && reasons.push(reason))
  return reasons
}

t.test('one player after another is served over the same connections', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, wire, port } = await startWired(t, target)
  await until(() => atRest(wire), 'the link, and one that is ready')
  for (let n = 0; n < 30; n += 1) {
    const player = await dial(t, port)
    const text = `player ${n}`
    if (n % 3 === 0) {
      await echoed(player, text)
      player.resetAndDestroy()
    } else {
      player.end(text)
      t.equal(String(await readAll(player)), text, 'nothing of the one before')
    }
    await until(() => relay.traffic()[0]?.open === 0)
  }
  t.equal(relay.traffic()[0]?.connections, 30)
  t.ok(wire.total <= 9, `${wire.total} connections in all`)
})

t.test('grows with 200 players at once, who all get what is theirs, and shrinks again', async (t) => {
  const { port: target } = await startEcho(t)
  const limits = { readyIdleMs: 50, minReadyPerDevice: 1, maxReadyPerDevice: 16 }
  const { relay, wire, port } = await startWired(t, target, { limits })
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  const players = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const player = await dial(t, port)
      const sent = randomBytes(20_000)
      const whole = readBytes(player, sent.length)
      player.write(sent)
      return { player, same: sha256(await whole) === sha256(sent) }
    }),
  )
  t.ok(players.every(({ same }) => same))
  t.equal(relay.traffic()[0]?.open, 200)
  t.ok(wire.open > 200)
  for (const { player } of players) player.end()
  await until(() => relay.traffic()[0]?.open === 0)
  await until(() => atRest(wire), 'the link, and one that is ready')
  await echoed(await dial(t, port), 'still served')
})

t.test('bytes that a player sends at once are there with START', async (t) => {
  let heard = ''
  const { port: target } = await startService(t, (socket) =>
    socket.on('data', (chunk) => {
      heard += chunk
    }),
  )
  const { port } = await startWired(t, target)
  const player = await dial(t, port)
  player.write('first')
  await until(() => heard === 'first')
  t.equal(heard, 'first')
})

t.test('an agent that brings no connection: the player is let go in time', async (t) => {
  const openTimeoutMs = 100
  const relay = await startRelay(t, { limits: { openTimeoutMs } })
  const reasons = reasonsOf(relay)
  const link = await dialData(t, relay)
  const { ticket } = addressOf(relay)
  link.write(encodeFrame(FrameType.LINK, encodeMessage({ protocol: PROTOCOL_VERSION, ticket, version: '1' })))
  link.resume()
  await until(() => relay.devices().length === 1)
  await relay.apply({ revision: 1, allocations: [allocation(1, 9)] })
  const since = performance.now()
  t.equal(await ending(await dial(t, portOf(relay, 1))), 'ECONNRESET')
  const tookMs = performance.now() - since
  t.ok(tookMs > openTimeoutMs - 10 && tookMs < 20 * openTimeoutMs, `${tookMs} ms`)
  t.same(reasons, ['timeout'])
})

t.test('a target that does not answer: the player is let go, and his connection serves the next', async (t) => {
  const { port: target } = await startEcho(t)
  const gone = await freePort()
  const { relay, wire, port } = await startWired(t, gone)
  const reasons = reasonsOf(relay)
  await until(() => atRest(wire))
  for (let n = 0; n < 5; n += 1) {
    const player = await dial(t, port)
    player.write('nobody hears this')
    t.match(await ending(player), /end|ECONNRESET/)
  }
  await until(() => reasons.length === 5)
  t.same(new Set(reasons), new Set(['target_refused']))
  t.match(relay.traffic()[0], { bytesIn: 0, connections: 0, open: 0 })
  await relay.change({ revision: 2, upsert: [allocation(1, target)], remove: [] })
  await echoed(await dial(t, port), 'now')
  t.ok(wire.total <= 7, `${wire.total} connections in all`)
})

t.test('connections that are lost while they are ready are replaced, and the next player is served', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, wire, port } = await startWired(t, target)
  await until(() => atRest(wire))
  let up = 0
  relay.on('link', ({ connected }) => {
    if (connected) up += 1
  })
  wire.cut()
  const player = await dial(t, port)
  await echoed(player, 'served')
  t.ok(up <= 1)
})

t.test('who is refused after he has begun to speak is not counted, who is served is to the byte', async (t) => {
  const { port: target, server } = await startEcho(t)
  const { relay, port } = await startWired(t, target)
  const players = await Promise.all(Array.from({ length: 20 }, () => dial(t, port)))
  await Promise.all(players.map((player) => echoed(player, 'x'.repeat(1_000))))
  for (const player of players) player.end()
  await until(() => relay.traffic()[0]?.open === 0)
  t.same(relay.traffic(), [{ allocationId: 1, bytesIn: 20_000, bytesOut: 20_000, connections: 20, open: 0 }])
  server.close()
  const refused = await dial(t, port)
  refused.write('not counted')
  await ending(refused)
  t.equal(relay.traffic()[0]?.bytesIn, 20_000)
})

t.test('an agent that is told to link anew does so at once and keeps its players', async (t) => {
  const { port: target } = await startEcho(t)
  const options = resolveRelayOptions({ encryption: 'off' })
  const { limits, logger } = options
  const parts = createRelayParts({
    options,
    ticketKey: randomBytes(32),
    certificate: undefined,
    memory: new TicketMemory(limits, () => {}),
    admissions: new Admissions(undefined, 1, logger),
    events: new Emitter(logger),
    totals: new Map(),
  })
  const { links, table, tickets, data, flows, datagrams } = parts
  const dataPort = await openDataPort(parts, '127.0.0.1', 0)
  t.teardown(async () => {
    await table.close()
    links.closeAll()
    flows.close()
    await Promise.all([data.close(), datagrams.close()])
  })
  await table.reconcile([allocation(1, target)])
  const port = table.status()[0]?.port ?? 0
  const agent = createAgent({ limits: { retryMinMs: 60_000, retryMaxMs: 60_000 } })
  t.teardown(() => agent.stop())
  const ticket = tickets.issue(DEVICE, 60_000)
  agent.connect({ id: options.id, host: '127.0.0.1', port: dataPort, ticket, encryption: 'off' })
  await until(() => links.has(DEVICE) && agent.links()[0]?.connected)
  const player = await dial(t, port)
  await echoed(player, 'before')
  const events: unknown[] = []
  agent.on('link', ({ connected, error }) => events.push(error ?? connected))
  for (let times = 0; times < 3; times += 1) {
    links.moveAll()
    t.notOk(links.has(DEVICE))
    await until(() => links.has(DEVICE) && agent.links()[0]?.connected, 'linked again without the wait for a failure')
    await echoed(player, 'still here')
    await echoed(await dial(t, port), 'and a new one')
  }
  t.same(events, ['moved', true, 'moved', true, 'moved', true])
})
