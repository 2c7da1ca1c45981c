import { Database, database, keyring } from '@sallyport/core'
import t from 'tap'
import { startAgent } from './support/agent.js'
import { playTcp, playUdp, startEcho, startUdpEcho, stayTcp } from './support/local-service.js'
import { type Panel, somePorts, startPanel } from './support/panel.js'
import { until } from './support/until.js'

const dir = t.testdir()
const portRange = somePorts(500)
const alice = { id: 'alice' }
const secretKeys = ['a key for tests, of thirty-two characters or more']

/** The same panel each time: same database, same keys, same relay file. */
const start = (port = 0): Promise<Panel> =>
  startPanel({
    port,
    config: {
      portRange,
      relay: { dataPort: 0, storageFile: `${dir}/relay.json` },
      traffic: { flushIntervalMs: 60_000 },
    },
    plugins: [database({ dataDir: `${dir}/data` }), keyring({ secretKeys })],
  })

const echo = await startEcho()
const udpEcho = await startUdpEcho()
let panel = await start()
t.teardown(async () => {
  await panel.stop()
  await Promise.all([echo.close(), udpEcho.close()])
})

t.test('players reach the local service; a restart of the panel leaves everything as it was', async (t) => {
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const tcp = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  const udp = await panel.allocate(device, { protocol: 'udp', localPort: udpEcho.port, name: 'voice' })
  await agent.ready()
  t.equal(await playTcp(tcp.port, 'over TCP'), 'over TCP')
  t.equal(await playUdp(udp.port, 'over UDP'), 'over UDP')
  const counted = await until('counted', async () => {
    const found = await panel.allocations(alice)
    return found[0]?.traffic.open === 0 && found.every(({ traffic }) => traffic.bytesOut === 8) ? found : undefined
  })
  t.match(counted, [
    { id: tcp.id, traffic: { bytesIn: 8, bytesOut: 8, connections: 1, open: 0 } },
    { id: udp.id, traffic: { bytesIn: 8, bytesOut: 8, connections: 1 } },
  ])
  const before = { devices: await panel.devices(alice), url: panel.url }

  // As if the database had been restored from a backup: the relay's file knows a later revision.
  await panel.kernel.get(Database).sequelize.query("SELECT setval('tunnel_revision', 1)")
  await panel.stop()
  panel = await start(Number(new URL(before.url).port))
  await agent.ready()
  const [device2] = await panel.devices(alice)
  t.match(device2, { id: device.id, online: true, userCode: device.userCode, createdAt: before.devices[0]?.createdAt })
  const after = await panel.allocations(alice)
  t.same(
    after.map(({ traffic: _, ...rest }) => rest),
    counted.map(({ traffic: _, ...rest }) => rest),
    'allocations, ports and names are as before',
  )
  t.match(after[0]?.traffic, { bytesIn: 8, bytesOut: 8, connections: 1, open: 0 }, 'and so are totals')
  t.equal(await playTcp(tcp.port, 'again'), 'again')
  t.equal(await playUdp(udp.port, 'again'), 'again')
  t.equal((await panel.allocate(device, { protocol: 'tcp', localPort: 1 })).status, 'open', 'and new ones are served')
  await until('totals go on', async () => (await panel.allocations(alice))[0]?.traffic.bytesIn === 13)
  await agent.stop()
})

t.test('delete cuts players at once, and the number is free', async (t) => {
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const { port } = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()
  const player = await stayTcp(port)
  await panel.call('DELETE', `/api/tunnel/devices/${device.id}/delete`, { as: alice })
  await player.closed
  await t.rejects(stayTcp(port), { code: 'ECONNREFUSED' })
})

t.test('a new token cuts players and ends the link; the agent with the new one serves on', async (t) => {
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const { port } = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()
  const player = await stayTcp(port)
  const { body } = await panel.call('POST', `/api/tunnel/devices/${device.id}/regenerate-token`, { as: alice })
  await player.closed
  await until('the link is gone', () => agent.agent.links().every(({ connected }) => !connected))
  await until('the channel is gone', () => !agent.channel.connected)
  const successor = startAgent(panel.url, body.token)
  t.teardown(() => successor.stop())
  await successor.ready()
  t.equal(await playTcp(port, 'new token'), 'new token')
})

t.test('closed: players are cut and let in again when it is opened; a new target holds', async (t) => {
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const { id, port } = await panel.allocate(device, { protocol: 'tcp', localPort: 9 })
  await agent.ready()
  const url = `/api/tunnel/allocations/${id}`
  await panel.call('PATCH', url, { as: alice, json: { localPort: echo.port } })
  const player = await stayTcp(port)
  await panel.call('POST', `${url}/close`, { as: alice })
  await player.closed
  await t.rejects(stayTcp(port), { code: 'ECONNREFUSED' })
  await panel.call('POST', `${url}/open`, { as: alice })
  t.equal(await playTcp(port, 'open'), 'open')
})

t.test('while tunnels are switched off nobody is served; then everybody is again', async (t) => {
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const { port } = await panel.allocate(device, { protocol: 'tcp', localPort: echo.port })
  await agent.ready()
  const waiting = new Promise((resolve) => agent.channel.on('waiting', resolve))
  const player = await stayTcp(port)
  await panel.setFeature(false)
  await player.closed
  await t.rejects(stayTcp(port), { code: 'ECONNREFUSED' })
  await waiting
  await panel.setFeature(true)
  await until('open again', async () => (await panel.allocations(alice)).every(({ status }) => status === 'open'))
  t.equal(await playTcp(port, 'on again'), 'on again')
  await until('the agent has come back', () => agent.channel.connected, 20_000)
})
