import { chmod, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { createFakePanel, type FakePanel, problem } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { addressOf, startRelay, until } from '../../support.js'
import { createHome, type Home } from '../command.js'
import { readAll } from './player.js'

const TOKEN = 'header.payload-very-secret.signature'
const LIST = 'GET /api/tunnel/allocations'
const MAKE = 'POST /api/tunnel/allocations'
const DEVICE = 'd1'

interface Scene {
  panel: FakePanel
  home: Home
  made: Record<string, unknown>[]
  /** Puts another file in the place of the present one, as editors do. */
  edit(config: Record<string, unknown>): Promise<void>
}

async function scene(t: Test): Promise<Scene> {
  const panel = await fakePanel(t)
  const home = await createHome(t)
  const made: Record<string, unknown>[] = []
  serve(panel, made)
  return {
    panel,
    home,
    made,
    async edit(config) {
      await writeFile(`${home.config}.new`, JSON.stringify({ panel: panel.url, token: TOKEN, ...config }), {
        mode: 0o600,
      })
      await rename(`${home.config}.new`, home.config)
    },
  }
}

async function fakePanel(t: Test): Promise<FakePanel> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  return panel
}

function serve(panel: FakePanel, made: Record<string, unknown>[]): void {
  panel.routes.set(LIST, () => ({ body: { allocations: made } }))
  panel.routes.set(MAKE, ({ body }) => {
    const id = made.length + 1
    const allocation = {
      id,
      host: 'play.example.com',
      port: 20_000 + id,
      status: 'open',
      relayId: 'eu1',
      deviceId: 'device-1',
    }
    made.push({ ...allocation, ...(body as object) })
    return { status: 201, body: { allocation: made.at(-1) } }
  })
}

t.test(
  'twenty tunnels of the file are made with one look at the list; doubles and those that are there are not',
  async (t) => {
    const { panel, home, made, edit } = await scene(t)
    const tunnels = Array.from({ length: 20 }, (_, index) => ({ localPort: 25_565 + index }))
    await edit({ tunnels: [...tunnels, { localPort: 25_565 }] })
    const command = home.start(['run', '--local-port', '25565'])
    await until(() => made.length === 20, 'the tunnels')
    await (await panel.nextConnection()).welcome()
    await command.says(/connected to/)
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.equal(panel.requestsTo(LIST).length, 1)
    t.equal(new Set(made.map(({ localPort }) => localPort)).size, 20)
    const again = home.start(['run'])
    await (await panel.nextConnection()).welcome()
    await until(() => panel.requestsTo(LIST).length === 2, 'another look')
    again.kill('SIGTERM')
    t.equal(await again.exit, 0)
    t.equal(made.length, 20)
  },
)

t.test(
  'a tunnel written into the file is made while the agent runs; a slip of the pen is said, what holds stays',
  async (t) => {
    const { panel, home, made, edit } = await scene(t)
    await edit({})
    const command = home.start(['run'])
    await (await panel.nextConnection()).welcome()
    await command.says(/connected to/)
    await edit({ tunnels: [{ localPrt: 1 }] })
    await command.says(/'tunnels\[0\]\.localPrt'.*what held before still holds/)
    await edit({
      tunnels: [
        { localPort: 1, protocol: 'udp' },
        { localPort: 2, localHost: '192.0.2.1' },
      ],
    })
    await command.says(/made the tunnel udp/)
    await command.says(
      /tunnel to 192\.0\.2\.1:2 is not made: this agent may not dial it \("allow": \["192\.0\.2\.1:2"\] would let it\)/,
    )
    await edit({ tunnels: [{ localPort: 2, localHost: '192.0.2.1' }], allow: ['192.0.2.1:2'] })
    await command.says(/made the tunnel tcp/)
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.equal(made.length, 2)
    t.notOk(`${command.stdout()}${command.stderr()}`.includes(TOKEN))
  },
)

t.test('one tunnel that is refused leaves the others, and the agent, as they are', async (t) => {
  const { panel, home, made, edit } = await scene(t)
  const make = panel.routes.get(MAKE)
  panel.routes.set(MAKE, (request) => {
    if ((request.body as { localPort: number }).localPort === 2) return problem(403, 'quota_exceeded', '2 of 2')
    return make?.(request) ?? {}
  })
  await edit({ tunnels: [{ localPort: 1 }, { localPort: 2 }, { localPort: 3 }] })
  const command = home.start(['run'])
  await command.says(/the tunnel to 127\.0\.0\.1:2 \(tcp\) cannot be made yet.*quota/)
  await until(() => made.length === 2, 'the others')
  await (await panel.nextConnection()).welcome()
  await command.says(/connected to/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('an agent that runs is ended by nothing that the panel says to a change of its file', async (t) => {
  const { panel, home, made, edit } = await scene(t)
  await edit({})
  const command = home.start(['run', '--local-port', '1'])
  await command.says(/made the tunnel/)
  await (await panel.nextConnection()).welcome()
  made.pop()
  panel.routes.set(MAKE, () => problem(403, 'quota_exceeded', '0 of 0'))
  await edit({ tunnels: [{ localPort: 2 }] })
  await command.says(/the tunnel to 127\.0\.0\.1:1 \(tcp\) cannot be made yet.*quota/)
  panel.routes.set(LIST, () => ({ body: { allocations: [{ protocol: 'quic' }] } }))
  await edit({ tunnels: [{ localPort: 3 }] })
  await command.says(/the tunnels cannot be made yet.*not understood/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test("what the file's rules let in is in force at once for new players; --allow goes before them", async (t) => {
  const service = createServer((socket) => {
    socket.on('error', () => {})
    socket.end('served')
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => service.close(resolve)))
  const localPort = (service.address() as { port: number }).port
  const relay = await startRelay(t, { id: 'eu1' })
  const port = await freePort()
  await relay.apply({
    revision: 1,
    allocations: [{ id: 1, deviceId: DEVICE, protocol: 'tcp', port, target: { host: '127.0.0.1', port: localPort } }],
  })
  const { panel, home, edit } = await scene(t)
  await edit({ allow: [] })
  const command = home.start(['run'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [addressOf(relay, DEVICE)] })
  await command.says(/linked to relay/)
  t.equal(await readAll(port), '', 'an empty list allows nothing')
  await edit({ allow: [`127.0.0.1:${localPort}`] })
  await command.says(/allows other targets now/)
  t.equal(await readAll(port), 'served')
  await edit({})
  await command.says(/allows other targets now: loopback/)
  t.equal(await readAll(port), 'served')
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)

  const strict = home.start(['run', '--allow', '127.0.0.1:1'])
  const second = await panel.nextConnection()
  await second.welcome()
  second.send({ type: 'state', revision: 1, allocations: [], relays: [addressOf(relay, DEVICE)] })
  await strict.says(/linked to relay/)
  await edit({ allow: [`127.0.0.1:${localPort}`], tunnels: [{ localPort: 1 }] })
  await strict.says(/made the tunnel/)
  t.equal(await readAll(port), '')
  strict.kill('SIGTERM')
  t.equal(await strict.exit, 0)
})

t.test(
  'another token, or another panel, in the file: reconnects with it, and leaves the relays of before',
  async (t) => {
    const { panel, home, edit } = await scene(t)
    const relay = await startRelay(t, { id: 'eu1' })
    await edit({ tunnels: [{ localPort: 1 }] })
    const command = home.start(['run'])
    const first = await panel.nextConnection()
    await first.welcome()
    first.send({ type: 'state', revision: 1, allocations: [], relays: [addressOf(relay, DEVICE)] })
    await command.says(/linked to relay eu1/)

    await edit({ token: 'other.secret-token.signature', tunnels: [{ localPort: 1 }] })
    const second = await panel.nextConnection()
    t.equal(second.headers.authorization, 'Bearer other.secret-token.signature')
    await second.welcome()
    second.send({ type: 'state', revision: 1, allocations: [], relays: [addressOf(relay, DEVICE)] })
    await second.next('status')
    await first.closed
    t.equal(relay.devices().length, 1, 'the link of the same device stands')

    const other = await fakePanel(t)
    const made: Record<string, unknown>[] = []
    serve(other, made)
    await edit({ panel: other.url, tunnels: [{ localPort: 1 }] })
    const third = await other.nextConnection()
    await third.welcome()
    third.send({ type: 'state', revision: 1, allocations: [], relays: [] })
    await until(() => made.length === 1, 'the tunnel at the other panel')
    await until(() => relay.devices().length === 0, 'the end of the old link')
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.notMatch(`${command.stdout()}${command.stderr()}`, /secret/)
  },
)

t.test('a token that is refused: the file is looked at once more before the agent ends', async (t) => {
  const { panel, home, edit } = await scene(t)
  await edit({})
  const command = home.start(['run'])
  const first = await panel.nextConnection()
  await first.welcome()
  await command.says(/connected to/)
  await edit({ token: 'newer.secret-token.signature' })
  first.ws.close(4403)
  const second = await panel.nextConnection()
  t.equal(second.headers.authorization, 'Bearer newer.secret-token.signature')
  await second.welcome()
  second.ws.close(4401)
  t.equal(await command.exit, 3)
  t.match(command.stderr(), /sallyport enroll/)
})

t.test('a file that others can read by now is said and not read; gone, what it said holds', async (t) => {
  const { panel, home, edit } = await scene(t)
  await edit({})
  const command = home.start(['run'])
  await (await panel.nextConnection()).welcome()
  await command.says(/connected to/)
  await chmod(home.config, 0o644)
  await command.says(/has mode 0644.*what held before still holds/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('token and panel from the environment: the file gives the tunnels, and need not be there', async (t) => {
  const { panel, home, made } = await scene(t)
  const env = { SALLYPORT_TOKEN: TOKEN, SALLYPORT_PANEL: panel.url }
  const without = home.start(['run'], env)
  await (await panel.nextConnection()).welcome()
  await without.says(/connected to/)
  without.kill('SIGTERM')
  t.equal(await without.exit, 0)
  await home.enrol({ tunnels: [{ localPort: 7 }] })
  const command = home.start(['run'], env)
  await command.says(/made the tunnel/)
  t.match(made, [{ localPort: 7 }])
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})
