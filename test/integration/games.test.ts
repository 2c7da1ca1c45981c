// Real games through a tunnel: a Minecraft server with a client over TCP, a Cube 2 server with qstat over UDP.
import { createSocket } from 'node:dgram'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { enroll, runAgent, sallyport } from '../support/agent.js'
import { type Api, signIn } from '../support/api.js'
import { event, until, within } from '../support/deadline.js'
import { queryGame, startGameServer, withoutGame } from '../support/game-server.js'
import { panelEnvironment, startPanel, temporaryDirectory } from '../support/panel.js'

const minecraft = createRequire(import.meta.url)('minecraft-protocol') as typeof import('minecraft-protocol')
const version = '1.20.1'

/** A panel with a relay of its own, and a device that is enrolled there. */
async function startHome(t: Test): Promise<{ admin: Api; config: string }> {
  const directory = await temporaryDirectory(t)
  const config = join(directory, 'agent.json')
  const panel = await startPanel(t, panelEnvironment(join(directory, 'data')))
  const admin = await signIn(panel.url)
  await enroll(t, panel.url, admin, config)
  const { relays } = await admin.ok<{ relays: unknown[] }>('GET', '/api/tunnel/relays')
  t.match(relays, [{ encryption: 'tls' }])
  return { admin, config }
}

t.test('a Minecraft client asks for the status and logs in', async (t) => {
  const { admin, config } = await startHome(t)
  const server = minecraft.createServer({
    'online-mode': false,
    host: '127.0.0.1',
    port: 0,
    version,
    motd: 'behind a NAT',
    maxPlayers: 7,
  })
  await event(server, 'listening')
  t.teardown(() => server.close())
  const address = (server as unknown as { socketServer: { address(): { port: number } } }).socketServer.address()
  const { tunnels } = await runAgent(t, admin, config, address.port)
  const port = tunnels[0]?.port ?? 0

  const status = await until('the status', () => minecraft.ping({ host: '127.0.0.1', port, version }))
  t.match(status, { version: { name: version }, players: { max: 7 }, description: { text: 'behind a NAT' } })

  const joined = event(server, 'playerJoin')
  const client = minecraft.createClient({ host: '127.0.0.1', port, version, username: 'Steve', auth: 'offline' })
  // The tunnel may be taken down at the end before the client has left.
  client.on('error', () => undefined)
  t.teardown(() => client.end())
  const [success] = await event(client, 'success')
  t.match(success, { username: 'Steve' })
  const [session] = (await within('the join', joined)) as [{ username: string; end(reason: string): void }]
  t.equal(session.username, 'Steve')
  const kicked = event(client, 'kick_disconnect')
  session.end('good bye')
  t.match(JSON.stringify(await kicked), /good bye/)
})

/** Floods another service of the same device, once that has answered. */
async function startFlood(t: Test, config: string): Promise<{ answers: () => number; stop(): void }> {
  const [echo, player] = [createSocket('udp4'), createSocket('udp4')]
  t.teardown(() => {
    stop()
    for (const socket of [echo, player]) socket.close()
  })
  echo.on('message', (payload, from) => echo.send(payload, from.port, from.address))
  echo.bind(0, '127.0.0.1')
  await event(echo, 'listening')
  const localPort = String(echo.address().port)
  const opening = sallyport(t, ['open', '--local-port', localPort, '--protocol', 'udp', '--config', config, '--json'])
  await opening.exited
  const { port } = (JSON.parse(opening.stdout) as { allocations: [{ port: number }] }).allocations[0]
  let answers = 0
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearInterval(timer)
  player.on('message', () => {
    answers += 1
  })
  const send = () => player.send(Buffer.alloc(1_200), port, '127.0.0.1')
  await until('an answer to the one who will flood', () => {
    send()
    return answers > 0
  })
  timer = setInterval(() => {
    for (let sent = 0; sent < 50; sent += 1) send()
  }, 1)
  return { answers: () => answers, stop }
}

t.test('a game server is asked about itself, by many, while somebody floods', { skip: withoutGame }, async (t) => {
  const { admin, config } = await startHome(t)
  const game = await startGameServer(t, 'behind a NAT', 7)
  const { tunnels } = await runAgent(t, admin, config, game.queryPort, 'udp')
  const port = tunnels[0]?.port ?? 0
  const expected = { name: game.name, numplayers: 0, maxplayers: game.maxPlayers }
  t.match(await until('an answer', () => queryGame(port)), expected)

  const flood = await startFlood(t, config)
  await until('the flood comes through', () => flood.answers() > 1_000)
  const infos = await Promise.all(Array.from({ length: 10 }, () => until('an answer', () => queryGame(port))))
  flood.stop()
  for (const info of infos) t.match(info, expected)
})
