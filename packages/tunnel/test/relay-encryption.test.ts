import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestLogger } from '@sallyport/core/testing'
import t from 'tap'
import { startEmbeddedRelay } from '../dist/relays/embedded-relay.js'
import { startAgent } from './support/agent.js'
import { playTcp } from './support/local-service.js'
import { somePorts, startPanel } from './support/panel.js'
import { relayOf, startStandAloneRelay } from './support/stand-alone-relay.js'
import { until } from './support/until.js'

const alice = { id: 'alice' }
const region = 'here'

const panel = await startPanel({ config: { relay: false, portRange: somePorts(50) } })
t.teardown(() => panel.stop())
const echo = createServer((socket) => {
  socket.on('error', () => {})
  socket.pipe(socket)
})
await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
t.teardown(() => echo.close())
const tcp = { protocol: 'tcp', localPort: (echo.address() as { port: number }).port, region }

t.test('agents know a relay by its fingerprint, and hear of a new one', async (t) => {
  const first = await startStandAloneRelay(panel, { region })
  t.match(await relayOf(panel, first.id), { encryption: 'tls' })
  const device = await panel.enrol(alice)
  const agent = startAgent(panel.url, device.token)
  t.teardown(() => agent.stop())
  const { port, id } = await panel.allocate(device, tcp)
  await agent.ready()
  t.equal(await playTcp(port, 'pinned'), 'pinned')
  t.match(agent.agent.links(), [{ encryption: 'tls' }])
  t.match(agent.channel.state()?.relays, [{ fingerprint: first.relay.fingerprint, encryption: 'tls' }])

  await first.stop()
  // Its storage was its memory: it makes itself another certificate.
  const second = await startStandAloneRelay(panel, { region, device: first })
  t.not(second.relay.fingerprint, first.relay.fingerprint)
  await agent.ready()
  t.match(agent.channel.state()?.relays, [{ fingerprint: second.relay.fingerprint }])
  // The agent may have its link before the relay has its ports.
  t.equal(await until('a player', () => playTcp(port, 'pinned anew').catch(() => '')), 'pinned anew')

  await second.stop()
  const plain = await startStandAloneRelay(panel, { region, device: first, encryption: 'off' })
  t.teardown(() => plain.stop())
  t.match(await relayOf(panel, first.id), { encryption: 'off' })
  await until('the link is plain', () => {
    const [link] = agent.agent.links()
    return link?.connected === true && link.encryption === 'off'
  })
  t.notOk(agent.channel.state()?.relays[0]?.fingerprint)
  t.equal(await until('a player', () => playTcp(port, 'in the clear').catch(() => '')), 'in the clear')
  await panel.call('DELETE', `/api/tunnel/allocations/${id}`, { as: alice })
})

t.test('the relay of the panel itself', async (t) => {
  const { logger } = createTestLogger()
  const home = mkdtempSync(join(tmpdir(), 'embedded-relay-'))
  t.teardown(() => rmSync(home, { recursive: true }))
  const storageFile = join(home, 'relay.json')
  const start = async (config: object) => {
    const claim = async () => true
    const given = { config: { dataPort: 0, ...config }, logger, shared: false, claim, leaseMs: 0 }
    const { relay, description } = await startEmbeddedRelay(given)
    await relay.stop()
    return description
  }
  const first = await start({ storageFile })
  t.match(first, { encryption: 'tls', fingerprint: /^[0-9a-f]{64}$/ })
  t.equal((await start({ storageFile })).fingerprint, first.fingerprint, 'kept in its file')
  t.match(await start({ encryption: 'off' }), { encryption: 'off', fingerprint: undefined })

  const certificate = { file: join(home, 'cert.pem'), privateKeyFile: join(home, 'key.pem') }
  const failed = { code: 'TUNNEL_ERR_RELAY_START_FAILED' }
  await t.rejects(start({ certificate }), { ...failed, message: /key\.pem cannot be read \(ENOENT\)/ })
  writeFileSync(certificate.file, 'no certificate')
  writeFileSync(certificate.privateKeyFile, 'no key')
  await t.rejects(start({ certificate }), { ...failed, message: /certificate:/ })
  const { key, cert } = JSON.parse(readFileSync(storageFile, 'utf8')).identity
  writeFileSync(certificate.file, cert)
  writeFileSync(certificate.privateKeyFile, key)
  t.match(await start({ certificate }), { encryption: 'tls', fingerprint: undefined })
})
