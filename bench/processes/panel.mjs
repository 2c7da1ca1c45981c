// A panel with its users in memory: node panel.mjs. Says by IPC where it listens and what signs its requests.
import * as strategies from '@sallyport/auth'
import { auth, directory, session } from '@sallyport/auth'
import { createKernel, database, definePlugin, Http, keyring, Secret } from '@sallyport/core'
import { fastify } from 'fastify'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const answer = { ok: true }
const unlimited = { points: 1_000_000_000 }
// Not there in a checkout that has sessions alone.
const apiKey = strategies.apiKey?.()

/** One route, open, for whoever is signed in, and for holders of a permission. */
const routes = definePlugin({
  name: 'bench.routes',
  version: '1.0.0',
  requires: { http: Http },
  setup({ services: { http } }) {
    const about = { method: 'GET', summary: 'Answers', tag: 'Bench', handler: () => answer }
    http.route({ ...about, url: '/bench/public', access: 'public' })
    http.route({ ...about, url: '/bench/authenticated', access: 'authenticated' })
  },
})

const kernel = createKernel({
  plugins: [
    database({ dataDir: 'memory://' }),
    keyring({ secretKeys: ['a secret key for the benchmark, known to all'] }),
    auth({
      strategies: [
        session({ attempts: { perAccount: unlimited, perAddress: unlimited } }),
        ...(apiKey ? [apiKey] : []),
      ],
      users: directory({
        firstAdministrator: { email: administrator.email, password: new Secret(administrator.password) },
      }),
    }),
    routes(),
  ],
})
const { port } = await kernel.listen()

const bare = fastify({ logger: false })
bare.get('/bench/public', async () => answer)
await bare.listen({ host: '127.0.0.1', port: 0 })

const post = async (path, body, token) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}
const { token } = await post('/api/auth/login', administrator)
const key = apiKey && (await post('/api/apikeys', { name: 'bench', type: 'client', permissions: ['*'] }, token)).apiKey

process.on('SIGTERM', async () => {
  await Promise.all([bare.close(), kernel.stop()])
  process.exit(0)
})
process.on('message', async ({ users, cpu }) => {
  if (cpu) process.send({ cpuMicroseconds: process.cpuUsage().user + process.cpuUsage().system })
  for (const { email, password } of users ?? []) await post('/api/users', { email, password }, token)
  if (users) process.send({ usersMade: users.length })
})
process.send({ port, barePort: bare.server.address().port, token, key })
