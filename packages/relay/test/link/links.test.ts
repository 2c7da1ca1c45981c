import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import t from 'tap'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { TicketMemory } from '../../dist/identity/ticket-memory.js'
import { Tickets } from '../../dist/identity/tickets.js'
import { type AgentEvents, createAgent, createRelay, type RelayEvents } from '../../dist/index.js'
import { DEFAULT_RELAY_LIMITS } from '../../dist/limits.js'
import { DeviceLinks } from '../../dist/link/device-links.js'
import { readFirstFrame } from '../../dist/link/first-frame.js'
import { encodeFrame } from '../../dist/link/frame.js'
import { encodeMessage, FrameType, PROTOCOL_VERSION } from '../../dist/link/protocol.js'
import { silentLogger } from '../../dist/logger.js'
import { memoryStorage } from '../../dist/storage/memory.js'
import {
  addressOf,
  allocation,
  DEVICE,
  dial,
  dialData,
  ending,
  linked,
  portOf,
  readBytes,
  startAgent,
  startEcho,
  startRelay,
  until,
} from '../support.js'
import { startWire } from '../wire.js'

/** Of the ORDERs that came over a link. */
function tokensIn(text: string): string[] {
  return [...text.matchAll(/"tokens":(\[[^\]]+\])/g)].flatMap(([, list = '[]']) => JSON.parse(list))
}

t.test('an agent whose link was cut is back by itself', async (t) => {
  const relay = await startRelay(t)
  const wire = await startWire(t, relay)
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  agent.connect({ ...addressOf(relay), port: wire.port })
  await linked(relay, agent)
  for (let times = 0; times < 3; times += 1) {
    let down = false
    const off = relay.on('link', ({ connected }) => {
      down ||= !connected
    })
    wire.cut()
    await until(() => down)
    off()
    await linked(relay, agent)
  }
  t.equal(relay.devices().length, 1)
})

t.test('a link on which nothing is heard is dead on both sides', async (t) => {
  const relay = await startRelay(t, { limits: { heartbeatMs: 20, linkTimeoutMs: 200 } })
  const wire = await startWire(t, relay)
  const agent = createAgent({ limits: { linkTimeoutMs: 200, retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  const errors: unknown[] = []
  let downs = 0
  agent.on('link', ({ connected, error }) => connected || errors.push(error))
  relay.on('link', ({ connected }) => {
    if (!connected) downs += 1
  })
  agent.connect({ ...addressOf(relay), port: wire.port })
  await linked(relay, agent)
  await until(() => agent.links()[0]?.rttMs !== undefined, 'a round trip is measured')
  wire.freeze()
  await until(() => errors.length > 0 && downs > 0)
  t.equal(errors[0], 'timeout')
  await linked(relay, agent)
})

t.test('a live connection survives the loss of the link', async (t) => {
  const relay = await startRelay(t)
  const { port: target } = await startEcho(t)
  const agent = await startAgent(t, relay)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const player = await dial(t, portOf(relay, 1))
  player.write('a')
  await readBytes(player, 1)
  agent.disconnect(relay.id)
  await until(() => relay.devices().length === 0)
  player.write('b')
  t.equal(String(await readBytes(player, 1)), 'b')
})

t.test('a second link of the same device replaces the first, which stays away', async (t) => {
  const relay = await startRelay(t)
  const links: RelayEvents['link'][] = []
  relay.on('link', (event) => links.push(event))
  const first = await startAgent(t, relay, { limits: { retryMinMs: 1 } })
  const heard: AgentEvents['link'][] = []
  first.on('link', (event) => heard.push(event))
  const second = createAgent()
  t.teardown(() => second.stop())
  second.connect(addressOf(relay))
  await until(() => second.links()[0]?.connected && first.links()[0]?.connected === false)
  await until(() => heard.length === 1)
  t.match(heard, [{ connected: false, error: 'replaced' }])
  t.equal(relay.devices().length, 1)
  t.same(links, [{ deviceId: DEVICE, connected: true }], 'the late close of the first did not end the second')
  const { port: target } = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const player = await dial(t, portOf(relay, 1))
  player.write('a')
  t.equal(String(await readBytes(player, 1)), 'a')
})

t.test('as many devices as may be are linked; a link that replaces one is not one more', async (t) => {
  const relay = await startRelay(t, { limits: { maxLinks: 1 } })
  const first = await startAgent(t, relay)
  const other = createAgent({ limits: { retryMinMs: 1, retryMaxMs: 20 } })
  t.teardown(() => other.stop())
  const errors: unknown[] = []
  let asked = 0
  other.on('link', ({ error }) => errors.push(error))
  other.on('ticketNeeded', () => {
    asked += 1
  })
  other.connect(addressOf(relay, 'device-2'))
  await until(() => errors.length > 0)
  t.same(errors, ['busy'])
  // As when the first was cut off and the relay has not noticed yet.
  const second = createAgent()
  t.teardown(() => second.stop())
  second.connect(addressOf(relay))
  await until(() => second.links()[0]?.connected)
  await until(() => first.links()[0]?.connected === false)
  t.match(relay.devices(), [{ deviceId: DEVICE }])
  await second.stop()
  await linked(relay, other, 'device-2')
  t.equal(asked, 0, 'its ticket was not spent')
})

t.test('links of one device in turn: the newest holds, and what the others ordered is void', async (t) => {
  const relay = await startRelay(t)
  const { port: target } = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const links: { socket: Socket; text: string }[] = []
  for (let n = 0; n < 30; n += 1) {
    const link = { socket: await dialData(t, relay), text: '' }
    link.socket.on('data', (chunk) => {
      link.text += chunk
    })
    const message = { protocol: PROTOCOL_VERSION, ticket: relay.issueTicket(DEVICE), version: '1' }
    link.socket.write(encodeFrame(FrameType.LINK, encodeMessage(message)))
    await until(() => tokensIn(link.text).length > 0, 'one is ordered')
    links.push(link)
  }
  t.equal(relay.statistics().links, 1)
  const newest = links.pop()
  await until(() => links.every(({ socket }) => socket.readableEnded || socket.destroyed))
  t.notOk(newest?.socket.readableEnded)
  const show = async (token: string | undefined) => {
    const socket = await dialData(t, relay)
    socket.write(encodeFrame(FrameType.DATA, encodeMessage({ token })))
    return socket
  }
  for (const { text } of links.slice(-3)) t.match(await ending(await show(tokensIn(text)[0])), /end|ECONNRESET|close/)
  await show(tokensIn(newest?.text ?? '')[0])
  await until(() => relay.statistics().readyConnections === 1)
})

t.test('disconnectDevice closes the link, cuts the players and ends every ticket', async (t) => {
  const relay = await startRelay(t)
  const { port: target } = await startEcho(t)
  const agent = await startAgent(t, relay, { limits: { retryMinMs: 1 } })
  const other = await startAgent(t, relay, {}, 'device-2')
  await relay.apply({
    revision: 1,
    allocations: [allocation(1, target), allocation(2, target, { deviceId: 'device-2' })],
  })
  const players = [await dial(t, portOf(relay, 1)), await dial(t, portOf(relay, 2))] as const
  for (const player of players) {
    player.write('a')
    await readBytes(player, 1)
  }
  const issuedBefore = relay.issueTicket(DEVICE)
  const needed: string[] = []
  agent.on('ticketNeeded', ({ relayId }) => needed.push(relayId))
  const seen = ending(players[0])
  relay.disconnectDevice(DEVICE)
  t.equal(await seen, 'ECONNRESET')
  t.same(
    relay.devices().map(({ deviceId }) => deviceId),
    ['device-2'],
  )
  await until(() => needed.length > 0)
  const asked = needed.length
  agent.connect({ ...addressOf(relay), ticket: issuedBefore })
  await until(() => needed.length > asked, 'the older ticket is refused too')
  agent.connect(addressOf(relay))
  await linked(relay, agent)
  players[1].write('b')
  t.equal(String(await readBytes(players[1], 1)), 'b', 'another device is not touched')
  t.ok(other.links()[0]?.connected)
})

t.test('a relay that is started again takes the resume ticket and serves what it held', async (t) => {
  const storage = memoryStorage()
  const { port: target } = await startEcho(t)
  const first = createRelay({ dataPort: 0, storage })
  await first.start()
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  const needed: string[] = []
  agent.on('ticketNeeded', ({ relayId }) => needed.push(relayId))
  agent.connect(addressOf(first))
  await linked(first, agent)
  await first.apply({ revision: 4, allocations: [allocation(1, target)] })
  const { dataPort } = first
  await until(() => agent.links()[0]?.rttMs !== undefined)
  await first.stop()
  const second = await startRelay(t, { dataPort, storage })
  await linked(second, agent)
  t.same(needed, [], 'nobody had to be asked')
  t.equal(second.status().revision, 4)
  const player = await dial(t, portOf(second, 1))
  player.write('a')
  t.equal(String(await readBytes(player, 1)), 'a')
})

t.test('a ticket that is never answered is asked for with growing patience', async (t) => {
  const relay = await startRelay(t)
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  let asked = 0
  const errors: unknown[] = []
  agent.on('link', ({ error }) => errors.push(error))
  agent.on('ticketNeeded', () => {
    asked += 1
    // A panel that always gives a bad one, at once.
    agent.connect({ ...addressOf(relay), ticket: `bad.${asked}` })
  })
  agent.connect({ ...addressOf(relay), ticket: 'bad.0' })
  await until(() => asked >= 3)
  t.same(errors, ['ticket_invalid'], 'said once')
  t.same(relay.devices(), [])
})

t.test('an unreachable relay is said once and reached when it is there', async (t) => {
  const probe = await startRelay(t)
  const { dataPort } = probe
  const address = addressOf(probe)
  await probe.stop()
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  const events: AgentEvents['link'][] = []
  agent.on('link', (event) => events.push(event))
  agent.connect(address)
  await until(() => events.length === 1)
  t.match(events, [{ connected: false, error: 'ECONNREFUSED' }])
  const relay = await startRelay(t, { dataPort })
  agent.connect(addressOf(relay))
  await linked(relay, agent)
})

t.test('a relay that moves is followed', async (t) => {
  const first = await startRelay(t)
  const agent = await startAgent(t, first)
  const second = await startRelay(t)
  agent.connect(addressOf(second))
  await linked(second, agent)
  await until(() => first.devices().length === 0)
  t.equal(agent.links().length, 1)
  agent.disconnect(second.id)
  t.same(agent.links(), [])
  await until(() => second.devices().length === 0)
})

t.test('a relay that says MOVED again and again is followed with patience', async (t) => {
  let links = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    readFirstFrame(socket, 1_000, (frame) => {
      if (frame === undefined) return
      links += 1
      const datagrams = { channel: '0'.repeat(16), salt: 'A'.repeat(43), flows: 'f' }
      const welcome = {
        protocol: PROTOCOL_VERSION,
        deviceId: DEVICE,
        resume: `r${links}`,
        heartbeatMs: 1_000,
        datagrams,
      }
      socket.write(encodeFrame(FrameType.WELCOME, encodeMessage(welcome)))
      socket.write(encodeFrame(FrameType.MOVED, Buffer.alloc(0)))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = createAgent({ limits: { retryMinMs: 200 } })
  t.teardown(async () => {
    await agent.stop()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  agent.connect({ id: 'relay', host: '127.0.0.1', port, ticket: 'ticket', encryption: 'off' })
  await until(() => links >= 5, 'the first are followed at once')
  const before = links
  await new Promise((resolve) => setTimeout(resolve, 180))
  t.ok(links - before <= 1, `${links - before} links in 180 ms`)
  await until(() => links > before)
})

t.test('a link that breaks as it is welcomed is only over', async (t) => {
  const { key, cert } = createSelfSigned()
  const server = createTlsServer({ key, cert, minVersion: 'TLSv1.3' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const agentSide = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }).on('error', () => {})
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket]
  t.teardown(() => {
    agentSide.destroy()
    server.close()
  })
  // As a write to a connection that was reset does.
  socket.write = () => {
    socket.destroy()
    return false
  }
  const told: unknown[] = []
  const limits = { ...DEFAULT_RELAY_LIMITS }
  const tickets = new Tickets('relay', Buffer.alloc(32), new TicketMemory(limits, () => {}), limits)
  const links = new DeviceLinks({
    tickets,
    accepts: () => true,
    limits,
    logger: silentLogger,
    onWelcome: () => 'flows',
    onLink: (_deviceId, connected) => told.push(connected),
    onOrders: () => {},
    onShort: () => {},
    onSession: () => {},
  })
  const ticket = tickets.issue(DEVICE, 60_000, undefined)
  t.equal(links.accept(socket, { protocol: PROTOCOL_VERSION, ticket, version: '1' }), undefined)
  await until(() => told.length === 2)
  t.same(told, [true, false])
  t.same(links.list(), [])
})

t.test('stop while starting stops, and twice is once; then it starts again', async (t) => {
  const relay = createRelay({ dataPort: 0 })
  const starting = relay.start()
  await Promise.all([starting, relay.stop(), relay.stop()])
  t.equal(relay.status().running, false)
  await t.rejects(dial(t, relay.dataPort), { code: 'ECONNREFUSED' })
  await relay.stop()
  await relay.start()
  t.teardown(() => relay.stop())
  await startAgent(t, relay)
})

t.test('a handler may move, renew or close the link it hears of', async (t) => {
  const first = await startRelay(t)
  const second = await startRelay(t)
  const agent = await startAgent(t, first, { limits: { retryMinMs: 1 } })
  const off = agent.on('link', ({ connected }) => connected || agent.connect(addressOf(second)))
  first.disconnectDevice(DEVICE)
  await linked(second, agent)
  off()
  t.same(first.devices(), [])
  const gone = new Promise((resolve) =>
    agent.on('link', ({ connected }) => {
      if (!connected) agent.disconnect(second.id)
      resolve(undefined)
    }),
  )
  second.disconnectDevice(DEVICE)
  await gone
  t.same(agent.links(), [])
  t.same(second.devices(), [])
})

t.test('misuse is named', async (t) => {
  const relay = createRelay({ dataPort: 0 })
  t.throws(() => relay.issueTicket('d'), { code: 'RELAY_ERR_NOT_RUNNING' })
  await t.rejects(relay.apply({ revision: 1, allocations: [] }), { code: 'RELAY_ERR_NOT_RUNNING' })
  const running = await startRelay(t)
  await t.rejects(running.start(), { code: 'RELAY_ERR_ALREADY_RUNNING' })
  t.throws(() => running.issueTicket(''), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => running.issueTicket('d', { expiresInMs: -1 }), { code: 'RELAY_ERR_INVALID_OPTION' })
  await t.rejects(createRelay({ dataPort: running.dataPort }).start(), { code: 'RELAY_ERR_DATA_PORT' })
  t.throws(() => createRelay({ ticketKey: new Uint8Array(31) }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => createRelay({ limits: { heartbeatMs: 0 } }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => createRelay({ limits: { heartbeat: 1 } as object }), { code: 'RELAY_ERR_INVALID_OPTION' })
  const agent = createAgent()
  t.throws(() => agent.connect({ id: '', host: 'h', port: 1, ticket: 't' }), { code: 'RELAY_ERR_INVALID_OPTION' })
  await agent.stop()
})
