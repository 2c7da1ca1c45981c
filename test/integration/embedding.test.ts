// The README's embedding: the packages inside a host that has its own server, in the two ways a host can have one.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { auth, directory, session } from '@sallyport/auth'
import { createKernel, createLogger, database, type Kernel, keyring } from '@sallyport/core'
import { tunnel } from '@sallyport/tunnel'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { enroll, sallyport } from '../support/agent.js'
import { signIn } from '../support/api.js'
import { event, until } from '../support/deadline.js'
import { adminPassword, temporaryDirectory } from '../support/panel.js'

function makeKernel(dataDir: string): Kernel {
  return createKernel({
    logger: createLogger({ level: 'silent' }),
    plugins: [
      database({ dataDir: 'memory://' }),
      keyring({ dataDir }),
      auth({
        strategies: [session()],
        users: directory({ firstAdministrator: { email: 'admin@localhost', password: adminPassword } }),
      }),
      tunnel({ relay: { dataPort: 0 }, enrolment: { intervalSeconds: 0.1 } }),
    ],
  })
}

/** Signs in, enrols an agent and has it connect, all through the host's server. */
async function useThrough(t: Test, url: string, directoryPath: string): Promise<void> {
  const admin = await signIn(url)
  const config = join(directoryPath, 'agent.json')
  await enroll(t, url, admin, config)
  const agent = sallyport(t, ['run', '--config', config])
  await until('the agent', async () => {
    const { devices } = await admin.ok<{ devices: { online: boolean }[] }>('GET', '/api/tunnel/devices')
    return devices[0]?.online
  })
  t.match(await agent.stop(), { code: 0 })
}

t.test('in a Fastify app: twenty lines, and closing the app closes everything', async (t) => {
  const directoryPath = await temporaryDirectory(t)
  const kernel = makeKernel(directoryPath)
  const app = Fastify()
  app.get('/', () => 'the host')
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send('the host’s error'))
  app.get('/broken', () => {
    throw new Error('broken')
  })
  app.register(kernel.fastify)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  t.equal(await (await fetch(url)).text(), 'the host')
  t.equal((await fetch(`${url}/broken`)).status, 418)
  t.equal((await fetch(`${url}/unknown`)).status, 404)
  t.match(await (await fetch(`${url}/api/auth/session`)).json(), { status: 401, requestId: String })
  await useThrough(t, url, directoryPath)

  await app.close()
  t.equal(kernel.state, 'stopped')
  await t.rejects(fetch(url))
})

t.test('in any node:http server', async (t) => {
  const directoryPath = await temporaryDirectory(t)
  const kernel = makeKernel(directoryPath)
  const server: Server = createServer((request, response) => {
    if (request.url === '/') response.end('the host')
    else kernel.handler(request, response)
  })
  server.on('upgrade', kernel.upgrade)
  server.listen(0, '127.0.0.1')
  await event(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  t.equal((await fetch(`${url}/api/health/live`)).status, 503, 'before the kernel is started')
  await kernel.start()
  t.equal(await (await fetch(url)).text(), 'the host')
  t.equal((await fetch(`${url}/api/health/ready`)).status, 200)
  await useThrough(t, url, directoryPath)

  await kernel.stop()
  t.equal((await fetch(`${url}/api/health/live`)).status, 503, 'after it is stopped')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
