import t, { type Test } from 'tap'
import { type AgentEvents, createAgent, type Relay } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import { startLinkProxy } from '../programs/link-proxy.js'
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

/** Nothing comes by itself within the time of a test. */
const NEVER_MS = 3_600_000
const PATIENT = { linkTimeoutMs: NEVER_MS, retryMinMs: NEVER_MS, retryMaxMs: NEVER_MS, relayTimeoutMs: NEVER_MS }

t.test('a link that is dead is found, and one that answers is left alone', async (t) => {
  const relay = await startRelay(t)
  const way = await startLinkProxy(t, relay.dataPort)
  const agent = createAgent({ limits: { ...PATIENT, retryMinMs: 10, retryMaxMs: 20 } })
  t.teardown(() => agent.stop())
  const other = await startRelay(t, { id: 'other' })
  const told: AgentEvents['link'][] = []
  agent.on('link', (link) => told.push(link))
  agent.connect({ ...addressOf(relay), port: way.port })
  agent.connect(addressOf(other))
  await until(() => agent.links().every(({ connected }) => connected))
  told.length = 0
  way.swallow()
  agent.probe()
  agent.probe()
  await until(() => told.length > 0)
  t.match(told, [{ relayId: relay.id, connected: false, error: 'timeout' }], 'the dead one, once')
  way.restore()
  way.cut()
  agent.probe()
  await until(() => agent.links().every(({ connected }) => connected))
  t.match(
    told.filter(({ relayId }) => relayId === 'other'),
    [],
  )
})

t.test('what waits for its next try is tried at once', async (t) => {
  const dataPort = await freePort()
  const first = await startRelay(t, { dataPort })
  const { ticketKey } = first
  const agent = createAgent({ limits: PATIENT })
  t.teardown(() => agent.stop())
  const ticket = first.issueTicket(DEVICE)
  await first.stop()
  agent.connect({ id: first.id, host: '127.0.0.1', port: dataPort, ticket, encryption: 'off' })
  const refused = new Promise((resolve) => agent.on('link', resolve))
  t.match(await refused, { error: 'ECONNREFUSED' })
  const relay = await startRelay(t, { dataPort, ticketKey, encryption: 'off' })
  agent.probe()
  await linked(relay, agent)
})

t.test('a dial that hangs on the network of before is begun anew', async (t) => {
  const relay = await startRelay(t)
  const way = await startLinkProxy(t, relay.dataPort)
  way.swallow()
  const agent = createAgent({ limits: PATIENT })
  t.teardown(() => agent.stop())
  agent.connect({ ...addressOf(relay), port: way.port })
  agent.probe()
  way.restore()
  agent.probe()
  await linked(relay, agent)
})

t.test('who was replaced stays away', async (t) => {
  const relay = await startRelay(t)
  const agent = await startAgent(t, relay)
  const told: AgentEvents['link'][] = []
  agent.on('link', (link) => told.push(link))
  const newer = await startAgent(t, relay)
  await until(() => told.length > 0)
  t.match(told, [{ connected: false, error: 'replaced' }])
  agent.probe()
  await play(t, relay)
  t.equal(told.length, 1)
  t.match([agent.links(), newer.links()], [[{ connected: false }], [{ connected: true }]])
})

t.test('who was replaced after a time of trouble stays away, with a new ticket too', async (t) => {
  const relay = await startRelay(t)
  const way = await startLinkProxy(t, relay.dataPort)
  const agent = createAgent({ limits: { retryMinMs: 1, replacedMs: 1_000 } })
  t.teardown(() => agent.stop())
  let events = 0
  let last = 0
  agent.on('link', () => {
    events += 1
    last = performance.now()
  })
  const door = { ...addressOf(relay), port: way.port }
  agent.connect(door)
  for (const lost of [1, 3]) {
    await until(() => events === lost)
    way.cut()
  }
  await until(() => events === 5)
  await startAgent(t, relay)
  await until(() => events === 6)
  const replacedAt = last
  agent.connect({ ...door, ticket: relay.issueTicket(DEVICE) })
  await until(() => events > 6)
  // A timer counts from the beginning of the turn in which it is set.
  t.ok(last - replacedAt >= 500)
})

async function play(t: Test, relay: Relay): Promise<void> {
  const echo = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, echo.port)] })
  const player = await dial(t, portOf(relay, 1))
  player.write('hello')
  t.equal(String(await readBytes(player, 5)), 'hello')
}

t.test('to probe before, after, and without a link does nothing', async (t) => {
  const agent = createAgent()
  agent.probe()
  const relay = await startRelay(t)
  agent.connect(addressOf(relay))
  await linked(relay, agent)
  agent.disconnect(relay.id)
  agent.probe()
  await agent.stop()
  agent.probe()
  t.same(agent.links(), [])
})
