import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t from 'tap'
import { type AgentEvents, createAgent, createRelay } from '../../dist/index.js'
import { readFirstFrame } from '../../dist/link/first-frame.js'
import { encodeFrame } from '../../dist/link/frame.js'
import { encodeMessage, FrameType, PROTOCOL_VERSION } from '../../dist/link/protocol.js'
import { memoryStorage } from '../../dist/storage/memory.js'
import { freePort } from '../free-port.js'
import {
  addressOf,
  allocation,
  DEVICE,
  dial,
  linked,
  portOf,
  readBytes,
  startAgent,
  startEcho,
  startRelay,
  until,
} from '../support.js'
import { startWire } from '../wire.js'

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

t.test('a relay that is started again takes the resume ticket and serves what it held', async (t) => {
  const storage = memoryStorage()
  const { port: target } = await startEcho(t)
  const dataPort = await freePort()
  const first = createRelay({ dataPort, storage })
  await first.start()
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  const needed: string[] = []
  agent.on('ticketNeeded', ({ relayId }) => needed.push(relayId))
  agent.connect(addressOf(first))
  await linked(first, agent)
  await first.apply({ revision: 4, allocations: [allocation(1, target)] })
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
  const dataPort = await freePort()
  const probe = await startRelay(t, { dataPort })
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
  const links: number[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    readFirstFrame(socket, 1_000, (frame) => {
      if (frame === undefined) return
      links.push(performance.now())
      const datagrams = { channel: '0'.repeat(16), salt: 'A'.repeat(43), flows: 'f' }
      const welcome = {
        protocol: PROTOCOL_VERSION,
        deviceId: DEVICE,
        resume: `r${links.length}`,
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
  await until(() => links.length >= 6)
  const [first = 0, , , , fifth = 0, sixth = 0] = links
  t.ok(fifth - first < 4 * 200, 'the first are followed at once')
  t.ok(sixth - fifth >= 195, `the next after ${sixth - fifth} ms`)
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
