import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import t from 'tap'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { TicketMemory } from '../../dist/identity/ticket-memory.js'
import { Tickets } from '../../dist/identity/tickets.js'
import { type AgentEvents, createAgent, type RelayEvents } from '../../dist/index.js'
import { DEFAULT_RELAY_LIMITS } from '../../dist/limits.js'
import { DeviceLinks } from '../../dist/link/device-links.js'
import { encodeFrame } from '../../dist/link/frame.js'
import { encodeMessage, FrameType, PROTOCOL_VERSION } from '../../dist/link/protocol.js'
import { silentLogger } from '../../dist/logger.js'
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
  await until(() => errors.length > 0 && downs > 0, 'both sides notice')
  t.equal(errors[0], 'timeout')
  wire.thaw()
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
