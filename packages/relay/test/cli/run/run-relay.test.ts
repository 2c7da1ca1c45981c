import { connect, createServer } from 'node:net'
import t from 'tap'
import { createRelay } from '../../../dist/index.js'
import { createFakePanel, until, within } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { addressOf, doorOf, startRelay } from '../../support.js'
import { createHome } from '../command.js'

const DEVICE = 'd1'

t.test('run carries a player, refuses what its side forbids and says so once', async (t) => {
  const service = createServer((socket) => {
    socket.on('error', () => {})
    socket.end('hello from the service')
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const localPort = (service.address() as { port: number }).port
  const relay = createRelay({ id: 'eu1', dataPort: 0 })
  await relay.start()
  const panel = await createFakePanel()
  t.teardown(async () => {
    await panel.close()
    await relay.stop({ graceMs: 0 })
    service.close()
  })
  const [open, forbidden] = [await freePort(), await freePort()]
  await relay.apply({
    revision: 1,
    allocations: [
      { id: 1, deviceId: DEVICE, protocol: 'tcp', port: open, target: { host: '127.0.0.1', port: localPort } },
      { id: 2, deviceId: DEVICE, protocol: 'tcp', port: forbidden, target: { host: '192.0.2.1', port: 22 } },
    ],
  })
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: 'header.payload.signature' })
  const command = home.start(['run', '--verbose'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  const ticket = relay.issueTicket(DEVICE)
  const relays = [{ ...doorOf(relay), ticket }]
  connection.send({ type: 'state', revision: 1, allocations: [], relays })
  await command.says(/^linked to relay eu1$/m)

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

t.test('a relay without encryption is warned of, once', async (t) => {
  const relay = await startRelay(t, { id: 'eu1', encryption: 'off' })
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: 'header.payload.signature' })
  const command = home.start(['run'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  const state = { type: 'state', allocations: [], relays: [addressOf(relay, DEVICE)] }
  connection.send({ ...state, revision: 1 })
  await command.says(/^linked to relay eu1$/m)
  connection.send({ ...state, revision: 2 })
  await connection.next('status')
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.equal(command.stderr().match(/relay eu1 is without encryption/g)?.length, 1)
})

/** What a player is sent until the end. */
function readAll(port: number): Promise<string> {
  const end = new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
  return within(end, `the end of the connection to ${port}`)
}
