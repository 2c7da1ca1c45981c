import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import t from 'tap'
import type { FakeConnection, FakePanel } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { addressOf, startRelay, until } from '../../support.js'
import { lines } from '../command.js'
import { Keys, startOnTerminal, terminalMissing } from '../pseudo-terminal.js'
import { scene, TOKEN } from './run-scene.js'

const DEVICE = 'd1'
const options = { skip: terminalMissing }

function tunnel(id: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  const address = { host: 'play.example.com', port: 20_000 + id, localHost: '127.0.0.1', localPort: 30_000 + id }
  return { id, protocol: 'tcp', ...address, status: 'open', relayId: 'eu1', ...more }
}

async function welcomed(panel: FakePanel, allocations: Record<string, unknown>[]): Promise<FakeConnection> {
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'state', revision: 1, allocations, relays: [] })
  return connection
}

t.test(
  'panel, relay, tunnel, players and rates live; lines above them; Ctrl-C leaves a clean terminal',
  options,
  async (t) => {
    const service = createServer((socket) => {
      socket.on('error', () => {})
      const timer = setInterval(() => socket.write(Buffer.alloc(20_000)), 50)
      socket.on('close', () => clearInterval(timer))
    })
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    t.teardown(() => service.close())
    const localPort = (service.address() as { port: number }).port
    const relay = await startRelay(t, { id: 'eu1' })
    const port = await freePort()
    const target = { host: '127.0.0.1', port: localPort }
    await relay.apply({ revision: 1, allocations: [{ id: 1, deviceId: DEVICE, protocol: 'tcp', port, target }] })
    const { panel, home } = await scene(t)
    const command = startOnTerminal(t, home, ['run'])
    const connection = await panel.nextConnection()
    await connection.welcome()
    const state = { type: 'state', allocations: [tunnel(1, { localPort })], relays: [addressOf(relay, DEVICE)] }
    connection.send({ ...state, revision: 1 })
    await command.sees(/panel +http:\/\/127\.0\.0\.1:\d+ {2}connected as box/)
    await command.sees(/relay +eu1 {2}127\.0\.0\.1:\d+ {2}linked {2}[\d.]+ ms {2}TLS/)
    await command.sees(/PUBLIC +LOCAL +PLAYERS +IN +OUT/)
    await command.sees(new RegExp(`tcp +play\\.example\\.com:20001 +127\\.0\\.0\\.1:${localPort} +0 +- +-`))
    const player = connect(port, '127.0.0.1')
    t.teardown(() => player.destroy())
    player.on('error', () => {}).resume()
    await command.sees(new RegExp(`:${localPort} +1 +- +[\\d.]+ KiB/s`))
    connection.ws.close(1001)
    await command.sees(/is lost.*reconnecting/)
    await command.sees(/panel +http:\S+ {2}no connection, trying on/)
    await command.sees(/relay +eu1.*linked/)
    command.type(Keys.interrupt)
    t.equal(await command.exit, 0)
    t.strictSame(await command.leftovers(), [])
    t.match(command.shown(), /stopping\r?\n$/)
    const end = command.raw().slice(command.raw().lastIndexOf('\u001b[J'))
    t.notMatch(end, /panel|relay|tcp/, 'the area is gone in the end')
    t.notOk(command.raw().includes(TOKEN))
  },
)

t.test(
  'a small terminal: lines are cut to its width, tunnels to its height, what is wrong comes first',
  options,
  async (t) => {
    const { panel, home } = await scene(t)
    const command = startOnTerminal(t, home, ['run'], { columns: 50, rows: 12 })
    const broken = tunnel(20, { status: 'failed' })
    await welcomed(panel, [...Array.from({ length: 19 }, (_, index) => tunnel(index + 1)), broken])
    await command.sees(/tcp +play\.example\.com:20020/)
    await command.sees(/its relay cannot bind the port/)
    await command.sees(/\.\.\. and 16 more/)
    const area = command.shown().slice(command.shown().lastIndexOf('panel '))
    t.ok(
      area.split(/\r?\n/).every((line) => line.length < 50),
      area,
    )
    await command.resize(100, 40)
    await command.sees(/PLAYERS +IN +OUT[\s\S]*tcp +play\.example\.com:20019/)
    command.type(Keys.interrupt)
    t.equal(await command.exit, 0)
    t.strictSame(await command.leftovers(), [])
  },
)

t.test('NO_COLOR: no colours, the same lines', options, async (t) => {
  const { panel, home } = await scene(t)
  const plain = startOnTerminal(t, home, ['run'], { env: { NO_COLOR: '1' } })
  await welcomed(panel, [tunnel(1)])
  await plain.sees(/PLAYERS[\s\S]*tcp +play\.example\.com:20001/)
  plain.type(Keys.interrupt)
  t.equal(await plain.exit, 0)
  t.notMatch(plain.raw().replaceAll('\u001b', 'ESC'), /ESC\[[\d;]*m/)
  const coloured = startOnTerminal(t, home, ['run'])
  await welcomed(panel, [tunnel(1)])
  await coloured.sees(/PLAYERS[\s\S]*tcp +play\.example\.com:20001/)
  coloured.type(Keys.interrupt)
  t.equal(await coloured.exit, 0)
  t.ok(coloured.raw().includes('\u001b[32m'))
})

for (const [name, args, env] of [
  ['--json', ['run', '--json'], {}],
  ['a terminal that knows only lines', ['run'], { TERM: 'dumb' }],
] as const) {
  t.test(`${name}: no area and no escape sequence`, options, async (t) => {
    const { panel, home } = await scene(t)
    const command = startOnTerminal(t, home, [...args], { env })
    await welcomed(panel, [tunnel(1)])
    await command.sees(/play\.example\.com/)
    command.type(Keys.interrupt)
    t.equal(await command.exit, 0)
    t.notOk(command.raw().includes('\u001b'))
    if (name === '--json') t.ok(lines(command.shown().replaceAll(/\r|\^C/g, '')).length >= 3)
  })
}

t.test('a token that is refused while the status is shown: the words stay, the area does not', options, async (t) => {
  const { panel, home } = await scene(t)
  const command = startOnTerminal(t, home, ['run'])
  const connection = await welcomed(panel, [tunnel(1)])
  await command.sees(/PLAYERS[\s\S]*tcp +play\.example\.com:20001/)
  connection.ws.close(4403)
  t.equal(await command.exit, 3)
  t.match(command.shown(), /error: the panel refuses this device's token.*\r?\n$/)
  t.strictSame(await command.leftovers(), [])
})

t.test('a terminal that is halted by Ctrl-S halts nothing else', options, async (t) => {
  const { panel, home } = await scene(t)
  const command = startOnTerminal(t, home, ['run', '--verbose'])
  const connection = await panel.nextConnection()
  let pings = 0
  connection.ws.on('ping', () => {
    pings += 1
  })
  // Two of them without an answer of this process's are the end of the connection.
  await connection.welcome(800)
  connection.send({ type: 'state', revision: 1, allocations: [tunnel(1)], relays: [] })
  await command.sees(/PLAYERS[\s\S]*tcp +play\.example\.com:20001/)
  command.type('\u0013')
  // Three seconds, in which the area is due to be drawn again and again.
  for (let revision = 2; revision <= 31; revision += 1) {
    const before = pings
    connection.send({ type: 'state', revision, allocations: [tunnel(1, { port: revision })], relays: [] })
    if (revision % 6 === 1) await until(() => pings > before, 'the next heartbeat')
  }
  t.notMatch(command.shown(), /play\.example\.com:29/)
  command.type('\u0011')
  await command.sees(/tcp +play\.example\.com:29 .*127/)
  command.type(Keys.interrupt)
  t.equal(await command.exit, 0)
  t.strictSame(await command.leftovers(), [])
})

t.test('output that is not a terminal has lines only', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['run'])
  await welcomed(panel, [tunnel(1)])
  await command.says(/^tcp play/m)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.notOk(`${command.stdout()}${command.stderr()}`.includes('\u001b'))
  t.notMatch(command.stdout(), /PLAYERS/)
})
