import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import {
  type AgentLinkStatus,
  type AgentOptions,
  createAgent,
  createControlChannel,
  type Encryption,
  type Relay,
} from '../../dist/index.js'
import { startLinkProxy } from '../programs/link-proxy.js'
import {
  addressOf,
  allocation,
  DEVICE,
  dial,
  linked,
  portOf,
  readAll,
  readBytes,
  startEcho,
  startRelay,
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'
import { type HttpProxy, startHttpProxy } from './http-proxy.js'

/** A name that no name server knows (RFC 6761 section 6.4), and the proxy does. */
const HIDDEN = 'relay.invalid'

async function world(
  t: Test,
  { host = HIDDEN, encryption = 'tls' as Encryption, agent: options = {} as AgentOptions } = {},
) {
  const relay = await startRelay(t, { encryption })
  const proxy = await startHttpProxy(t, { [HIDDEN]: relay.dataPort })
  const agent = createAgent({ proxy: proxy.url, ...options })
  t.teardown(() => agent.stop())
  const told: { connected: boolean; error?: string }[] = []
  agent.on('link', (link) => told.push(link))
  agent.connect({ ...addressOf(relay), host })
  return { relay, proxy, agent, told }
}

async function play(t: Test, relay: Relay): Promise<void> {
  const player = await dial(t, portOf(relay, 1))
  player.write('over the hills')
  t.equal(String(await readBytes(player, 14)), 'over the hills')
  player.end('x')
  t.equal(String(await readAll(player)), 'x', 'its end passes too')
}

for (const encryption of ['tls', 'off'] as const) {
  t.test(
    `a relay that cannot be reached directly is reached by way of the proxy, encryption ${encryption}`,
    async (t) => {
      const { relay, proxy, agent } = await world(t, { encryption })
      await linked(relay, agent)
      t.match(agent.links()[0], { connected: true, proxied: true, host: HIDDEN } satisfies Partial<AgentLinkStatus>)
      const echo = await startEcho(t)
      await relay.apply({ revision: 1, allocations: [allocation(1, echo.port)] })
      await play(t, relay)
      t.ok(proxy.asked.length >= 2, 'data connections too')
      t.same(new Set(proxy.asked), new Set([`${HIDDEN}:${relay.dataPort}`]))
    },
  )
}

t.test('datagrams, which no proxy passes, go over a stream through it', async (t) => {
  const { relay, agent } = await world(t)
  await linked(relay, agent)
  const service = await startUdpEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, service.port, { protocol: 'udp' })] })
  await playDatagrams(t, relay)
})

async function playDatagrams(t: Test, relay: Relay): Promise<void> {
  const player = await udpSocket(t)
  const answered = once(player, 'message')
  const sending = setInterval(() => player.send('ping', portOf(relay, 1), '127.0.0.1'), 100)
  t.teardown(() => clearInterval(sending))
  const [payload] = await answered
  clearInterval(sending)
  t.equal(String(payload), 'ping')
}

t.test('a network that swallows what goes directly, and tells nobody', async (t) => {
  const relay = await startRelay(t)
  const network = await startLinkProxy(t, relay.dataPort)
  network.swallow()
  const proxy = await startHttpProxy(t, { '127.0.0.1': relay.dataPort })
  const agent = createAgent({ proxy: proxy.url, limits: { relayTimeoutMs: 600 } })
  t.teardown(() => agent.stop())
  agent.connect({ ...addressOf(relay), port: network.port })
  await linked(relay, agent)
  t.equal(agent.links()[0]?.proxied, true)
  const [echo, service] = [await startEcho(t), await startUdpEcho(t)]
  await relay.apply({ revision: 1, allocations: [allocation(1, echo.port)] })
  await play(t, relay)
  await relay.apply({ revision: 2, allocations: [allocation(1, service.port, { protocol: 'udp' })] })
  await playDatagrams(t, relay)
})

t.test('datagrams go directly where they get through', async (t) => {
  const relay = await startRelay(t)
  const proxy = await startHttpProxy(t, { '127.0.0.1': relay.dataPort })
  const nat = await udpSocket(t)
  let agentPort = 0
  let passed = 0
  nat.on('message', (payload, from) => {
    passed += 1
    if (from.port !== relay.dataPort) agentPort = from.port
    nat.send(payload, from.port === relay.dataPort ? agentPort : relay.dataPort, '127.0.0.1')
  })
  const agent = createAgent({ proxy: proxy.url })
  t.teardown(() => agent.stop())
  // Nobody listens there for TCP.
  agent.connect({ ...addressOf(relay), port: nat.port })
  await linked(relay, agent)
  t.equal(agent.links()[0]?.proxied, true)
  await until(() => passed >= 2)
  const asked = proxy.asked.length
  const service = await startUdpEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, service.port, { protocol: 'udp' })] })
  await playDatagrams(t, relay)
  t.equal(proxy.asked.length, asked, 'no stream was needed')
})

t.test('a relay that can be reached directly is', async (t) => {
  const { relay, proxy, agent } = await world(t, { host: '127.0.0.1' })
  await linked(relay, agent)
  const echo = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, echo.port)] })
  await play(t, relay)
  t.same(proxy.asked, [])
  t.equal(agent.links()[0]?.proxied, undefined)
})

t.test('what worked last is tried first, and the other way when that is gone', async (t) => {
  const { relay, proxy, agent, told } = await world(t, { host: 'localhost' })
  await linked(relay, agent)
  t.same(proxy.asked, [], 'directly')
  const { id, dataPort, fingerprint } = relay
  const door = { id, port: dataPort, ...(fingerprint === undefined ? {} : { fingerprint }) }
  agent.connect({ ...door, host: HIDDEN, ticket: relay.issueTicket(DEVICE) })
  await until(() => agent.links()[0]?.proxied === true && agent.links()[0]?.connected)
  const asked = proxy.asked.length
  proxy.cut()
  await until(() => proxy.asked.length > asked && agent.links()[0]?.connected === true)
  await proxy.close()
  await until(() => agent.links()[0]?.connected === false)
  t.match(told.at(-1), { connected: false })
  agent.connect({ ...door, host: '127.0.0.1', ticket: relay.issueTicket(DEVICE) })
  await until(() => agent.links()[0]?.connected === true)
  t.equal(agent.links()[0]?.proxied, undefined)
})

t.test('each relay may have a proxy of its own, or none', async (t) => {
  const asked: unknown[] = []
  const choose = (relay: { host: string; port: number }) => {
    asked.push(`${relay.host}:${relay.port}`)
    return undefined
  }
  const { relay, told } = await world(t, { agent: { proxy: choose } })
  await until(() => told.length > 0)
  t.match(told[0], { connected: false, error: /ENOTFOUND|EAI_AGAIN/ })
  t.equal(asked[0], `${HIDDEN}:${relay.dataPort}`)
})

t.test('a choice that fails is none, and what is no HTTP proxy is refused', async (t) => {
  const choose = () => {
    throw new Error('no idea')
  }
  const { relay, agent } = await world(t, { host: '127.0.0.1', agent: { proxy: choose } })
  await linked(relay, agent)
  const other = await world(t, { host: '127.0.0.1', agent: { proxy: () => new URL('socks5://127.0.0.1') } })
  await linked(other.relay, other.agent)
  const proxy = new URL('socks5://me:secret@127.0.0.1')
  const refusal = { code: 'RELAY_ERR_INVALID_OPTION', message: /socks5/ }
  t.throws(() => createAgent({ proxy }), refusal)
  t.throws(() => createControlChannel({ panel: 'http://x', token: () => '', agent, proxy }), refusal)
})

t.test('of two ways that fail, what says more is told', async (t) => {
  const { proxy, told } = await world(t)
  await until(() => told.length > 0)
  async function next(change: () => unknown): Promise<unknown> {
    const count = told.length
    await change()
    await until(() => told.length > count)
    return told.at(-1)
  }
  t.match(told[0], { connected: true }, 'it was up')
  t.match(await next(() => refuse(proxy, 403)), { connected: false })
  t.match(await next(() => {}), { error: 'proxy_refused' }, 'the proxy has to be asked')
  t.match(await next(() => refuse(proxy, 502)), { error: /ENOTFOUND|EAI_AGAIN/ }, 'the proxy does not know either')
})

function refuse(proxy: HttpProxy, status: number): void {
  proxy.refuseWith = status
  proxy.cut()
}

t.test('who is not the relay is not asked again by another way', async (t) => {
  const relay = await startRelay(t)
  const proxy = await startHttpProxy(t)
  const agent = createAgent({ proxy: proxy.url })
  t.teardown(() => agent.stop())
  const told: unknown[] = []
  agent.on('link', (link) => told.push(link))
  const fingerprint = addressOf(await startRelay(t, { certificate: createSelfSigned() })).fingerprint ?? 'f'.repeat(64)
  agent.connect({ ...addressOf(relay), fingerprint })
  await until(() => told.length > 0)
  t.match(told[0], { connected: false, error: 'certificate_mismatch' })
  t.same(proxy.asked, [])
})

t.test('an agent that stops while it waits for the proxy leaves nothing', async (t) => {
  const { proxy, agent } = await world(t)
  proxy.silent = true
  proxy.cut()
  const asked = proxy.asked.length
  await until(() => proxy.asked.length > asked)
  await agent.stop()
  t.same(agent.links(), [])
})
