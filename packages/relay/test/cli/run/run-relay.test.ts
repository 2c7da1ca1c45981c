import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { createAgent, type Relay } from '../../../dist/index.js'
import { createFakePanel, type FakeConnection } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { addressOf, startRelay, until } from '../../support.js'
import { type Command, createHome } from '../command.js'
import { readAll } from './player.js'

const DEVICE = 'd1'

interface Running {
  connection: FakeConnection
  command: Command
  /** Given to it. */
  ticket: string
}

/** `sallyport run`, told of the relay and linked to it. */
async function startRun(t: Test, relay: Relay, ...flags: string[]): Promise<Running> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: 'header.payload.signature' })
  const command = home.start(['run', ...flags])
  const connection = await panel.nextConnection()
  await connection.welcome()
  const address = addressOf(relay, DEVICE)
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [address] })
  await command.says(/^linked to relay eu1$/m)
  return { connection, command, ticket: address.ticket }
}

t.test('run carries a player, refuses what its side forbids and says so once', async (t) => {
  const service = createServer((socket) => {
    socket.on('error', () => {})
    socket.end('hello from the service')
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const localPort = (service.address() as { port: number }).port
  t.teardown(() => service.close())
  const relay = await startRelay(t, { id: 'eu1' })
  const [open, forbidden] = [await freePort(), await freePort()]
  await relay.apply({
    revision: 1,
    allocations: [
      { id: 1, deviceId: DEVICE, protocol: 'tcp', port: open, target: { host: '127.0.0.1', port: localPort } },
      { id: 2, deviceId: DEVICE, protocol: 'tcp', port: forbidden, target: { host: '192.0.2.1', port: 22 } },
    ],
  })
  const { command, ticket } = await startRun(t, relay, '--verbose')

  t.equal(await readAll(open), 'hello from the service')
  t.equal(await readAll(forbidden), '')
  t.equal(await readAll(forbidden), '')
  await command.says(/refused: the panel asks for tcp 192\.0\.2\.1:22.*--allow 192\.0\.2\.1:22/)
  await until(() => relay.devices().length === 1, 'the link')

  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.equal(command.stdout().match(/the panel asks for/g)?.length, 1)
  t.notOk(`${command.stdout()}${command.stderr()}`.includes(ticket))
})

t.test('a relay goes by its name; one without encryption is warned of, once', async (t) => {
  const relay = await startRelay(t, { id: 'eu1', encryption: 'off' })
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: 'header.payload.signature' })
  const command = home.start(['run'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  const state = { type: 'state', allocations: [], relays: [{ ...addressOf(relay, DEVICE), name: 'Frankfurt' }] }
  connection.send({ ...state, revision: 1 })
  await command.says(/^linked to relay Frankfurt$/m)
  connection.send({ ...state, revision: 2 })
  await connection.next('status')
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.equal(command.stderr().match(/relay Frankfurt is without encryption/g)?.length, 1)
})

t.test('a thousand players whom nothing serves: each is cut off, the owner reads one line', async (t) => {
  const relay = await startRelay(t, { id: 'eu1' })
  const [port, nobody] = [await freePort(), await freePort()]
  await relay.apply({
    revision: 1,
    allocations: [{ id: 1, deviceId: DEVICE, protocol: 'tcp', port, target: { host: '127.0.0.1', port: nobody } }],
  })
  const { command } = await startRun(t, relay)
  for (let round = 0; round < 20; round += 1) {
    const texts = await Promise.all(Array.from({ length: 50 }, () => readAll(port)))
    t.ok(texts.every((text) => text === ''))
  }
  await command.says(/players cannot be served: tcp 127\.0\.0\.1:\d+: nothing listens there/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.equal(`${command.stdout()}${command.stderr()}`.match(/players cannot be served/g)?.length, 1)
  t.equal(
    command
      .stderr()
      .split('\n')
      .filter((one) => one !== '').length,
    0,
    command.stderr(),
  )
})

for (const [name, end] of [
  ['a signal', async (_connection: FakeConnection, command: Command) => command.kill('SIGINT')],
  [
    'a newer agent',
    async (connection: FakeConnection, command: Command, relay: Relay) => {
      connection.ws.close(4409)
      await command.says(/took over/)
      const other = createAgent()
      other.connect(addressOf(relay, DEVICE))
      await until(() => other.links()[0]?.connected === true, "the other agent's link")
      await other.stop()
      command.kill('SIGTERM')
    },
  ],
] as const) {
  t.test(`links that end by ${name} are not said to be lost`, async (t) => {
    const relay = await startRelay(t, { id: 'eu1' })
    const { connection, command } = await startRun(t, relay)
    await end(connection, command, relay)
    t.equal(await command.exit, 0)
    t.notMatch(`${command.stdout()}${command.stderr()}`, /lost|trying on|no link/)
    t.match(command.stdout(), /stopping\n$/)
  })
}

t.test('a relay that is taken away by the panel is left without a word of loss', async (t) => {
  const relay = await startRelay(t, { id: 'eu1' })
  const { connection, command } = await startRun(t, relay, '--verbose')
  connection.send({ type: 'state', revision: 2, allocations: [], relays: [] })
  await command.says(/debug: the link to relay eu1 is lost/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.notMatch(command.stdout(), /lost|trying on/)
})

t.test('a token that is revoked: the relay cuts the link first, the owner reads why and not that', async (t) => {
  const relay = await startRelay(t, { id: 'eu1' })
  const { connection, command } = await startRun(t, relay)
  relay.disconnectDevice(DEVICE)
  connection.ws.close(4403)
  t.equal(await command.exit, 3)
  t.notMatch(command.stdout(), /lost|trying on/)
  t.match(command.stderr(), /refuses this device's token/)
})
