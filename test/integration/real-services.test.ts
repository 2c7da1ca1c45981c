// A real protocol through a tunnel: Redis with its own client, pipelined.
import { join } from 'node:path'
import t from 'tap'
import { enroll, runAgent } from '../support/agent.js'
import { signIn } from '../support/api.js'
import { within } from '../support/deadline.js'
import { panelEnvironment, startPanel, temporaryDirectory } from '../support/panel.js'
import { redisServer, withoutRedis } from '../support/real-servers.js'

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
