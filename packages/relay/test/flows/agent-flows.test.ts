import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { ItemKind } from '../../dist/datagrams/channel-items.js'
import { flowId } from '../../dist/flows/flow-id.js'
import { encodeFlow } from '../../dist/flows/flow-message.js'
import { freePort } from '../free-port.js'
import { startUdpEcho, udpSocket, until, within } from '../support.js'
import { channelPair } from './channel-pair.js'
import { openFlow, startAgentFlows, startDeviceFlows } from './flow-ends.js'

const NOTHING = Buffer.alloc(0)

t.test('datagrams go to the target and back, and OPEN goes along until it is answered', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, agent } = channelPair()
  const { told } = startAgentFlows(t, agent)
  const player = openFlow(startDeviceFlows(t, relay), target.port)
  for (const text of ['one', 'two']) player.send(text)
  await until(() => player.heard.length === 2)
  player.send('three')
  await until(() => player.heard.length === 3)
  t.same(player.heard, ['one', 'two', 'three'])
  t.same(
    relay.sent.map(({ kind }) => kind),
    [ItemKind.OPEN, ItemKind.DATA, ItemKind.OPEN, ItemKind.DATA, ItemKind.DATA],
  )
  t.equal(player.opened, 1)
  player.flow?.close()
  await until(() => told.length === 2)
  t.match(told, [
    { phase: 'open', remoteAddress: '192.0.2.1', remotePort: 4_000, protocol: 'udp' },
    { phase: 'close', reason: 'end', bytesIn: 11, bytesOut: 11 },
  ])
})

t.test('an agent that has lost the flow is told of it again, and the player goes on', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, agent } = channelPair()
  const device = startDeviceFlows(t, relay)
  const first = startAgentFlows(t, agent)
  const player = openFlow(device, target.port)
  player.send('one')
  await until(() => player.heard.length === 1)
  await first.flows.stop()
  startAgentFlows(t, agent)
  await until(() => {
    player.send('two')
    return player.heard.includes('two')
  })
  t.equal(player.ended, 0)
  t.equal(device.size, 1)
})

t.test('after a new link not one datagram is lost to an agent that does not know the flow', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, agent } = channelPair()
  const device = startDeviceFlows(t, relay)
  const first = startAgentFlows(t, agent)
  const player = openFlow(device, target.port)
  player.send('one')
  await until(() => player.heard.length === 1)
  await first.flows.stop()
  startAgentFlows(t, agent)
  device.linked()
  player.send('two')
  await until(() => player.heard.length === 2)
  t.same(player.heard, ['one', 'two'])
})

t.test('another table of flows ends those of before, the same does not', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, agent } = channelPair()
  const { flows, told } = startAgentFlows(t, agent)
  const player = openFlow(startDeviceFlows(t, relay), target.port)
  player.send('one')
  await until(() => player.heard.length === 1)
  flows.welcome('table')
  t.equal(flows.size, 1)
  flows.welcome('another')
  t.equal(flows.size, 0)
  t.match(told.at(-1), { phase: 'close', reason: 'cut' })
})

t.test(
  'the header goes in front of the first datagram that reaches the target, even when the first was lost',
  async (t) => {
    const target = await udpSocket(t)
    const seen: string[] = []
    target.on('message', (payload) => seen.push(String(payload)))
    const { relay, agent } = channelPair()
    startAgentFlows(t, agent)
    const header = Buffer.from('HEADER').toString('base64')
    const player = openFlow(startDeviceFlows(t, relay), target.port, { header })
    // The whole first bundle is lost.
    relay.peer = undefined
    player.send('one')
    await new Promise((resolve) => setImmediate(resolve))
    relay.peer = agent
    for (const text of ['two', 'three']) player.send(text)
    await until(() => seen.length === 2)
    t.same(seen, ['HEADERtwo', 'three'])
  },
)

t.test('a service that comes back after it was away gets the header too', async (t) => {
  const seen: string[] = []
  const serve = async (port: number) => {
    const socket = createSocket('udp4')
    socket.on('message', (payload) => seen.push(String(payload)))
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }
  const port = await freePort()
  const service = await serve(port)
  const { relay, agent } = channelPair()
  startAgentFlows(t, agent)
  const header = Buffer.from('HEADER').toString('base64')
  const player = openFlow(startDeviceFlows(t, relay), port, { header })
  player.send('one')
  await until(() => seen.length === 1)
  await new Promise<void>((resolve) => service.close(resolve))
  player.send('lost')
  // For ICMP's answer.
  await new Promise((resolve) => setTimeout(resolve, 50))
  const back = await serve(port)
  t.teardown(() => back.close())
  await until(() => {
    player.send('two')
    return seen.length >= 3
  })
  t.same(seen.slice(0, 3), ['HEADERone', 'HEADERtwo', 'two'])
})

t.test('refusals: forbidden, no such host, no permit', async (t) => {
  const cases = [
    { options: { allowed: false }, error: 'target_forbidden' },
    { options: { permits: 0 }, error: 'agent_busy' },
  ] as const
  for (const { options, error } of cases) {
    const { relay, agent } = channelPair()
    const { refusals, flows } = startAgentFlows(t, agent, options)
    const player = openFlow(startDeviceFlows(t, relay), 9)
    player.send('one')
    await until(() => player.rejected.length === 1)
    t.same(player.rejected, [error])
    t.equal(flows.size, 0)
    t.equal(refusals.list().length, error === 'agent_busy' ? 0 : 1)
  }
})

t.test('a permit is given back when the flow has ended', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, agent } = channelPair()
  startAgentFlows(t, agent, { permits: 1 })
  const device = startDeviceFlows(t, relay)
  for (let round = 0; round < 5; round += 1) {
    const player = await until2(async () => {
      const tried = openFlow(device, target.port)
      tried.send('one')
      await until(() => tried.heard.length + tried.rejected.length > 0)
      return tried.heard.length > 0 ? tried : undefined
    })
    player.flow?.close()
  }
  t.pass('five in turn')
})

async function until2<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  let result: T | undefined
  await until(async () => {
    result = await attempt()
    return result !== undefined
  })
  return result as T
}

t.test('what is idle at the agent ends, and the relay hears of it', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, agent } = channelPair()
  const { flows, told } = startAgentFlows(t, agent, { limits: { udpIdleMs: 200 } })
  const player = openFlow(startDeviceFlows(t, relay), target.port)
  player.send('one')
  await until(() => player.ended === 1)
  t.equal(flows.size, 0)
  t.match(told.at(-1), { phase: 'close', reason: 'idle' })
})

t.test('late items of an ended flow do not bring it back', async (t) => {
  const target = await udpSocket(t)
  let heard = 0
  target.on('message', () => {
    heard += 1
  })
  const { relay, agent } = channelPair()
  const { flows } = startAgentFlows(t, agent)
  const open = (remotePort: number) =>
    encodeFlow({
      allocationId: 1,
      target: { host: '127.0.0.1', port: target.port },
      remoteAddress: '192.0.2.1',
      remotePort,
    })
  const [old, young] = [flowId(3, 65_535), flowId(3, 0)]
  const item = (kind: number, flow: number, payload: Buffer) => agent.hooks?.onItem(kind, flow, payload)
  item(ItemKind.OPEN, old, open(1))
  item(ItemKind.CLOSE, old, NOTHING)
  item(ItemKind.OPEN, old, open(1))
  item(ItemKind.DATA, old, Buffer.from('late'))
  t.equal(flows.size, 0)
  item(ItemKind.OPEN, young, open(2))
  item(ItemKind.OPEN, old, open(1))
  item(ItemKind.DATA, old, Buffer.from('late'))
  t.equal(flows.size, 1)
  const arrived = within(once(target, 'message'), 'a datagram')
  item(ItemKind.DATA, young, Buffer.from('in time'))
  t.equal(String((await arrived)[0]), 'in time')
  t.equal(heard, 1)
  t.notOk(relay.sent.length, 'and nothing came of it')
})

t.test('CLOSE before OPEN, as after a reordering, leaves nothing behind', async (t) => {
  const { agent } = channelPair()
  const { flows } = startAgentFlows(t, agent)
  agent.hooks?.onItem(ItemKind.CLOSE, flowId(1, 1), NOTHING)
  const target = { host: '127.0.0.1', port: 9 }
  const message = { allocationId: 1, target, remoteAddress: '192.0.2.1', remotePort: 1 }
  agent.hooks?.onItem(ItemKind.OPEN, flowId(1, 1), encodeFlow(message))
  t.equal(flows.size, 0)
})

t.test('garbage from the relay does no harm', async (t) => {
  const { agent } = channelPair()
  const { flows } = startAgentFlows(t, agent)
  const payloads = ['', '{', '[]', 'null', '{"allocationId":1}', '{"header":7}'].map((text) => Buffer.from(text))
  for (const payload of payloads)
    for (let kind = 0; kind < 32; kind += 1) agent.hooks?.onItem(kind, 0xffff_ffff, payload)
  t.equal(flows.size, 0)
})
