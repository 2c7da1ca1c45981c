// Real protocols through a tunnel: a Minecraft server with a client, and Redis with its own client, pipelined.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { enroll, runAgent } from '../support/agent.js'
import { signIn } from '../support/api.js'
import { event, until, within } from '../support/deadline.js'
import { panelEnvironment, startPanel, temporaryDirectory } from '../support/panel.js'
import { redisServer, withoutRedis } from '../support/real-servers.js'

const minecraft = createRequire(import.meta.url)('minecraft-protocol') as typeof import('minecraft-protocol')
const version = '1.20.1'

t.test('a Minecraft client asks for the status and logs in', async (t) => {
  const directory = await temporaryDirectory(t)
  const config = join(directory, 'agent.json')
  const panel = await startPanel(t, panelEnvironment(join(directory, 'data')))
  const admin = await signIn(panel.url)
  await enroll(t, panel.url, admin, config)

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
  t.teardown(() => client.end())
  const [success] = await event(client, 'success')
  t.match(success, { username: 'Steve' })
  const [session] = (await within('the join', joined)) as [{ username: string; end(reason: string): void }]
  t.equal(session.username, 'Steve')
  const kicked = event(client, 'kick_disconnect')
  session.end('good bye')
  t.match(JSON.stringify(await kicked), /good bye/)
})

t.test('Redis answers its own client, pipelined', { skip: withoutRedis }, async (t) => {
  const redis = await redisServer(t)
  const directory = await temporaryDirectory(t)
  const config = join(directory, 'agent.json')
  const panel = await startPanel(t, panelEnvironment(join(directory, 'data')))
  const admin = await signIn(panel.url)
  await enroll(t, panel.url, admin, config)
  const { tunnels } = await runAgent(t, admin, config, redis.port)

  const { createClient } = await import('@keyv/redis')
  const socket = { host: '127.0.0.1', port: tunnels[0]?.port ?? 0, reconnectStrategy: false as const }
  const client = createClient({ socket, password: redis.password })
  client.on('error', () => undefined)
  await within('the connection', client.connect())
  t.teardown(() => client.destroy())
  const count = 5_000
  const written = Array.from({ length: count }, (_, index) => client.set(`key:${index}`, `value ${index}`))
  await within('the writes', Promise.all(written))
  const pipeline = client.multi()
  for (let index = 0; index < count; index++) pipeline.get(`key:${index}`)
  const values = await within('the pipeline', pipeline.execAsPipeline())
  t.same(
    values,
    Array.from({ length: count }, (_, index) => `value ${index}`),
  )
  t.equal(await client.dbSize(), count)
  const large = 'x'.repeat(8 * 1024 * 1024)
  await client.set('large', large)
  t.equal(await client.get('large'), large)
})
