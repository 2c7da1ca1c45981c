import { once } from 'node:events'
import t, { type Test } from 'tap'
import { type Agent, createControlChannel, type Relay } from '../../dist/index.js'
import { createFakePanel } from '../fake-panel.js'
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
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'

async function world(t: Test): Promise<{ relay: Relay; agent: Agent }> {
  const relay = await startRelay(t)
  const agent = await startAgent(t, relay)
  const [tcp, udp] = [await startEcho(t), await startUdpEcho(t)]
  const allocations = [allocation(1, tcp.port), allocation(2, udp.port, { protocol: 'udp' })]
  await relay.apply({ revision: 1, allocations })
  return { relay, agent }
}

t.test('totals are live, exact at the end, and those of the relay', async (t) => {
  const { relay, agent } = await world(t)
  t.same(agent.traffic(), [])
  const player = await dial(t, portOf(relay, 1))
  player.write('12345')
  await readBytes(player, 5)
  t.same(agent.traffic(), [{ allocationId: 1, relayId: relay.id, bytesIn: 5, bytesOut: 5, connections: 1, open: 1 }])
  const second = await dial(t, portOf(relay, 1))
  second.end('x'.repeat(100_000))
  t.equal((await readAll(second)).length, 100_000)
  player.end()
  await readAll(player)
  await until(() => agent.traffic()[0]?.open === 0)
  t.same(agent.traffic(), [
    { allocationId: 1, relayId: relay.id, bytesIn: 100_005, bytesOut: 100_005, connections: 2, open: 0 },
  ])
  const gamer = await udpSocket(t)
  for (const size of [1, 0, 1_000]) {
    gamer.send(Buffer.alloc(size), portOf(relay, 2), '127.0.0.1')
    await once(gamer, 'message')
  }
  const flow = { allocationId: 2, bytesIn: 1_001, bytesOut: 1_001, connections: 1, open: 1 }
  t.match(agent.traffic().at(-1), flow)
  await until(() => relay.traffic().every(({ bytesIn }) => bytesIn > 0))
  const byRelay = relay.traffic().map(({ allocationId, bytesIn, bytesOut }) => ({ allocationId, bytesIn, bytesOut }))
  t.match(agent.traffic(), byRelay)
  await agent.stop()
  t.match(
    agent.traffic(),
    [
      { open: 0, bytesIn: 100_005 },
      { open: 0, bytesIn: 1_001 },
    ],
    'also after the end',
  )
})

t.test('who is refused has no connection, and leaves no trace beyond', async (t) => {
  const { relay, agent } = await world(t)
  agent.setAllow([])
  await ending(await dial(t, portOf(relay, 1)))
  await until(() => agent.refusals().length > 0)
  t.match(agent.traffic(), [{ allocationId: 1, connections: 0, open: 0, bytesIn: 0 }])
  agent.retainTraffic(new Set())
  t.same(agent.traffic(), [])
})

t.test('totals go with the relay, but not before its players', async (t) => {
  const { relay, agent } = await world(t)
  const player = await dial(t, portOf(relay, 1))
  player.write('12345')
  await readBytes(player, 5)
  agent.disconnect(relay.id)
  player.write('67890')
  await readBytes(player, 5)
  t.match(agent.traffic(), [{ bytesIn: 10, open: 1 }])
  player.destroy()
  await until(() => agent.traffic().length === 0)
})

t.test('a control channel keeps the totals of the allocations that the panel names', async (t) => {
  const { relay, agent } = await world(t)
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const channel = createControlChannel({ panel: panel.url, token: () => 'a-token', agent })
  t.teardown(() => channel.stop())
  channel.start()
  const connection = await panel.nextConnection()
  await connection.welcome()
  const { id, host, port, fingerprint, ticket } = addressOf(relay)
  const relays = [{ id, host, port, fingerprint, ticket }]
  const named = {
    id: 1,
    protocol: 'tcp',
    host,
    port: 1,
    localHost: 'localhost',
    localPort: 1,
    status: 'open',
    relayId: id,
  }
  connection.send({ type: 'state', revision: 1, allocations: [named], relays })
  await until(() => channel.state() !== undefined)
  const player = await dial(t, portOf(relay, 1))
  player.end('12345')
  await readAll(player)
  await until(() => agent.traffic()[0]?.open === 0)
  connection.send({ type: 'state', revision: 2, allocations: [named], relays })
  await until(() => channel.state()?.revision === 2)
  t.match(agent.traffic(), [{ allocationId: 1, bytesIn: 5 }])
  connection.send({ type: 'state', revision: 3, allocations: [], relays })
  await until(() => channel.state()?.revision === 3)
  t.same(agent.traffic(), [])
})
