import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { database, keyring } from '@sallyport/core'
import { createRelay, createRelayChannel } from '@sallyport/relay'
import t from 'tap'
import { startAgent } from './support/agent.js'
import { playTcp, startEcho } from './support/local-service.js'
import { admin, type Panel, somePorts, startPanel } from './support/panel.js'
import { startStandAloneRelay } from './support/stand-alone-relay.js'
import { until } from './support/until.js'

const alice = { id: 'alice' }

t.test('a panel that starts anew, and a stand-alone relay that it has not heard yet', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-restart-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const secretKeys = [randomBytes(32).toString('hex')]
  const portRange = somePorts(100)
  const open = (graceMs: number): Promise<Panel> =>
    startPanel({
      plugins: [database({ dataDir: directory }), keyring({ secretKeys })],
      config: { relay: false, portRange, relays: { graceMs } },
    })

  let panel = await open(60_000)
  const relay = await startStandAloneRelay(panel)
  t.teardown(() => relay.stop())
  const echo = await startEcho()
  t.teardown(() => echo.close())
  const device = await panel.enrol(alice)
  const made = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  t.match(made, { status: 'open', relayId: relay.id, relayName: 'relay' })
  const before = startAgent(panel.url, device.token)
  await before.ready()
  t.match(before.channel.state()?.relays, [{ id: relay.id, name: 'relay' }], 'an agent is told names for people')
  await before.channel.stop()
  t.teardown(() => before.stop())

  const stateAfterRestart = async (graceMs: number) => {
    await panel.stop()
    panel = await open(graceMs)
    const agent = startAgent(panel.url, device.token)
    const said: (string | undefined)[] = []
    agent.channel.on('state', ({ allocations }) => said.push(allocations[0]?.status))
    await until('a state', () => said.length > 0)
    return { agent, said }
  }

  await t.test('it is awaited, not gone: agents that came first are told nothing else', async (t) => {
    // It goes on serving, and comes back later than the agent.
    await relay.channel.stop()
    const { agent, said } = await stateAfterRestart(60_000)
    t.teardown(() => agent.stop())
    t.same(said, ['pending'])
    t.match(await panel.allocations(alice), [{ status: 'pending', relayOnline: false }])
    // Its link takes the place of the one before, with whoever plays through that.
    await agent.ready()
    t.equal(await playTcp(made.port, 'meanwhile'), 'meanwhile')
    const channel = createRelayChannel({ panel: panel.url, token: () => relay.token, relay: relay.relay })
    channel.start()
    await until('open again', () => said.at(-1) === 'open')
    t.notOk(said.includes('offline'), said.join())
    await channel.stop()
    await until('one that was here and went is gone at once', () => said.at(-1) === 'offline')
    t.match(await panel.allocations(alice), [{ status: 'offline' }])
  })

  await t.test('one that does not come in time is gone, and agents are told', async (t) => {
    // Long enough for the agent to be told something before.
    const { agent, said } = await stateAfterRestart(5_000)
    t.teardown(() => agent.stop())
    t.equal(said[0], 'pending')
    await until('offline', () => said.at(-1) === 'offline', 20_000)
    t.same(await panel.allocations(alice).then(([one]) => one?.status), 'offline')
  })
  await panel.stop()
})

t.test('relays that were given no public name', async (t) => {
  const panel = await startPanel({ config: { relay: false } })
  t.teardown(() => panel.stop())
  const warnings = () => panel.kernel.log.lines.filter(({ msg }) => /share the name/.test(String(msg)))
  const first = await startStandAloneRelay(panel, { publicHost: 'localhost' })
  const named = await startStandAloneRelay(panel, { publicHost: 'eu.example.com' })
  const meant = await startStandAloneRelay(panel, { publicHost: 'localhost', hostGroup: 'localhost' })
  t.teardown(() => Promise.all([first.stop(), named.stop(), meant.stop()]))
  t.same(warnings(), [])
  const second = await startStandAloneRelay(panel, { publicHost: 'localhost' })
  t.teardown(() => second.stop())
  await until('the panel warns', () => warnings().length > 0)
  t.match(warnings(), [{ relayId: second.id, others: [first.id, meant.id].sort() }])
  await second.channel.stop()
  second.channel.start()
  await until('it is back', () => second.channel.connected)
  t.equal(warnings().length, 1, 'once')
  const { body } = await panel.call('GET', '/api/tunnel/relays', { as: admin })
  t.match(
    body.relays.map(({ name, version }: { name: string; version: string }) => ({ name, version })),
    Array.from({ length: 4 }, () => ({ name: 'relay', version: /^\d+\.\d+\.\d+/ })),
  )
})

t.test('a relay that lost what it had stored is linked to again at once', async (t) => {
  const panel = await startPanel({ config: { relay: false } })
  t.teardown(() => panel.stop())
  const echo = await startEcho()
  t.teardown(() => echo.close())
  const relay = await startStandAloneRelay(panel)
  const device = await panel.enrol(alice)
  const made = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  await agent.ready()
  const { dataPort, fingerprint } = relay.relay
  const errors: string[] = []
  agent.agent.on('link', ({ error }) => error !== undefined && errors.push(error))
  await relay.stop()
  await until('the link is lost', () => errors.length > 0)

  const other = createRelay({ id: relay.id, dataPort, publicHost: '127.0.0.1' })
  await other.start()
  t.teardown(() => other.stop())
  t.not(other.fingerprint, fingerprint)
  // The agent may dial it before the panel hears of it.
  await until('the agent meets a stranger', () => errors.includes('certificate_mismatch'), 20_000)
  const channel = createRelayChannel({ panel: panel.url, token: () => relay.token, relay: other })
  const begun = performance.now()
  channel.start()
  t.teardown(() => channel.stop())
  await until('the link', () => agent.agent.links().some(({ connected }) => connected))
  const tookMs = performance.now() - begun
  t.ok(tookMs < 2_000, `after ${Math.round(tookMs)} ms`)
  t.equal(await until('a player', () => playTcp(made.port, 'hello').catch(() => '')), 'hello')
})

t.test('a device says its version, and one of kind server has no allocations', async (t) => {
  const panel = await startPanel({ config: { relay: { dataPort: 0 } } })
  t.teardown(() => panel.stop())
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  await until('connected', () => agent.channel.connected)
  t.match(await panel.devices(alice), [{ id: device.id, online: true, version: /^\d+\.\d+\.\d+/ }])

  const server = await panel.enrol(admin, { kind: 'server' })
  const json = { protocol: 'tcp', localPort: 1 }
  for (const call of [
    { token: server.token, json },
    { as: admin, json: { ...json, deviceId: server.id } },
  ]) {
    const refused = await panel.call('POST', '/api/tunnel/allocations', call)
    t.match(refused, { status: 409, body: { error: 'wrong_kind' } })
  }
  const lost = startAgent(panel.url, server.token)
  t.teardown(() => lost.stop())
  const refused = await new Promise((resolve) => lost.channel.on('disconnected', resolve))
  t.match(refused, { reason: 'wrong_kind', declined: true, detail: /sallyport relay/ })
})

t.test('a device changes what is its own, and nothing else', async (t) => {
  const panel = await startPanel()
  t.teardown(() => panel.stop())
  const echo = await startEcho()
  t.teardown(() => echo.close())
  const [mine, other] = [await panel.enrol(alice), await panel.enrol(alice)]
  const { id } = await panel.allocate(mine, { protocol: 'tcp', localPort: 1 })
  const path = `/api/tunnel/allocations/${id}`
  const calls: [method: string, path: string, json: object | undefined, answer: object][] = [
    ['PATCH', path, { localPort: echo.port }, { allocation: { id, localPort: echo.port } }],
    ['POST', `${path}/close`, undefined, { allocation: { id, status: 'closed' } }],
    ['POST', `${path}/open`, undefined, { allocation: { id, status: 'open' } }],
    ['DELETE', path, undefined, { success: true }],
  ]
  for (const [method, at, json, body] of calls) {
    const foreign = await panel.call(method, at, { token: other.token, json })
    t.match(foreign, { status: 404, body: { error: 'not_found' } }, `${method} of a sibling`)
    t.match(await panel.call(method, at, { token: mine.token, json }), { status: 200, body }, method)
  }
})
