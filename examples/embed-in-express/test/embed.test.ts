// The panel with Sallyport in it, in this process: what the panel had stays as it was.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { embeddingLines } from '../../embed-in-fastify/dist-test/support/lines.js'
import { startProgram, testEnvironment } from '../../embed-in-fastify/dist-test/support/program.js'
import { otherTables, readTables } from '../../embed-in-fastify/dist-test/support/tables.js'

// The database starts slowly on a busy machine.
t.setTimeout(120_000)

Object.assign(process.env, testEnvironment())
const { closeDatabase, pool, prepareDatabase } = await import('../dist/panel/database.js')
const { createPanelServer } = await import('../dist/panel/server.js')
const { sallyport } = await import('../dist/sallyport.js')

const ownTables = ['users', 'user_permissions', 'consoles']
const maxLines = 20
const deadlineMs = 20_000
const password = 'correct horse battery staple'
const command = new URL('../../../packages/relay/bin/sallyport.js', import.meta.url)
const graceId = '6f1ed002-ab55-4f8f-9a3b-0c8c7a3a0002'

t.test('costs at most twenty lines', async (t) => {
  const lines = await embeddingLines(new URL('../src/', import.meta.url))
  t.ok(lines.length <= maxLines, `${lines.length} lines`)
  t.ok(lines.length > maxLines / 2, 'those that are there have been found')
})

t.test('people, routes, WebSockets and tables of the panel stay as they are', async (t) => {
  await prepareDatabase()
  const before = await readTables(pool, ownTables)
  const { server, close } = await createPanelServer()
  t.teardown(async () => {
    await close()
    await closeDatabase()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`

  const request = async (
    token: string | undefined,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ) => {
    const response = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as any }
  }
  const login = async (name: string): Promise<string> =>
    (await request(undefined, '/sallyport/api/auth/login', { email: `${name}@example.com`, password })).body.token

  await t.test('by their passwords', async (t) => {
    t.equal(await login('mallory'), undefined, 'not who is banned')
    t.match(await request(await login('grace'), '/sallyport/api/auth/session'), {
      body: { user: { id: graceId, name: 'Grace', permissions: [] } },
    })
    t.match(await request(await login('ada'), '/sallyport/api/auth/session'), {
      body: { user: { permissions: ['*'] } },
    })
  })

  await t.test('on the panel’s own routes', async (t) => {
    const grace = await login('grace')
    t.same((await request(grace, '/me')).body, { id: graceId, email: 'grace@example.com', name: 'Grace', may: [] })
    const names = async (name: string) =>
      (await request(await login(name), '/consoles')).body.consoles.map((one: { name: string }) => one.name)
    t.same([await names('grace'), await names('linus')], [['survival'], ['arena', 'survival']])

    const nobody = await request(undefined, '/me')
    t.match(nobody, { status: 401, body: { error: 'This needs valid credentials' } }, 'in the panel’s own form')
    t.match(nobody.headers.get('www-authenticate'), 'Bearer')
    t.match(await request(undefined, '/nothing'), { status: 404, body: /Cannot GET/ }, 'Express’s own 404')
    t.match(
      await request(undefined, '/api/auth/session'),
      { status: 404, body: /Cannot GET/ },
      'all else is the panel’s',
    )
    t.match(await request(undefined, '/sallyport/api/auth/nothing'), { status: 404, body: { error: 'not_found' } })
    t.equal((await request(undefined, '/sallyport/api/health/ready')).status, 200)
  })

  await t.test('at the panel’s own WebSockets', async (t) => {
    const [grace, linus, ada] = await Promise.all(['grace', 'linus', 'ada'].map(login))
    const open = async (path: string, headers: Record<string, string>): Promise<WebSocket | number> => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
      t.teardown(() => socket.terminate())
      return new Promise((resolve) => {
        socket.on('error', () => undefined)
        socket.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode))
        socket.once('message', () => resolve(socket))
      })
    }
    const bearer = (token = ''): Record<string, string> => ({ authorization: `Bearer ${token}` })
    const own = await open('/consoles/survival', { cookie: `session=${grace}` })
    const others = await open('/consoles/survival', bearer(linus))
    if (typeof own === 'number' || typeof others === 'number') throw new Error(`refused: ${own}, ${others}`)
    const heard = once(others, 'message')
    own.send('say hello')
    t.equal(String((await heard)[0]), 'Grace: say hello')
    t.equal(await open('/consoles/arena', bearer(grace)), 403)
    t.equal(await open('/consoles/arena', {}), 401)
    t.equal(await open('/elsewhere', bearer(ada)), 404)
    t.equal(await open('/consoles/survival', { cookie: `session=${grace}`, origin: 'https://evil.example' }), 403)
    const agents = new WebSocket(`ws://127.0.0.1:${port}/sallyport/api/tunnel/ws`)
    t.equal((await once(agents, 'close'))[0], 4401, 'Sallyport’s beside them')
  })

  await t.test('an agent finds the panel below its path, and players their way', async (t) => {
    const [ada, grace] = [await login('ada'), await login('grace')]
    const config = ['--config', join(t.testdir(), 'agent.json')]
    const enroll = startProgram(t, command, ['enroll', '--panel', `${url}/sallyport`, '--name', 'home', ...config])
    const [userCode] = await enroll.printed(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)
    const approved = await request(ada, '/sallyport/api/tunnel/device/approve', { userCode, ownerId: graceId })
    t.match(approved.body.device, { ownerId: graceId })
    t.equal(await enroll.exited, 0)

    const service = await echo(t)
    startProgram(t, command, ['run', '--local-port', String(service), ...config])
    const [tunnel] = await until(async () => {
      const { allocations } = (await request(grace, '/sallyport/api/tunnel/allocations')).body
      return allocations.length > 0 ? allocations : undefined
    })
    await until(async () => (await play(tunnel.port, 'hello')) === 'hello' || undefined)
    t.pass('a player reaches the service')
  })

  t.same(await readTables(pool, ownTables), before, 'the panel’s tables and rows are as they were')
  const others = await otherTables(pool, ownTables)
  t.ok(others.length > 5)
  t.ok(
    others.every((name) => /^(core|auth|tunnel|sallyport)_/.test(name)),
    others.join(),
  )

  await sallyport.stop()
  t.equal((await request(undefined, '/')).status, 200, 'the panel stays when Sallyport is stopped')
  t.equal((await request(undefined, '/sallyport/api/auth/session')).status, 503)
  t.equal((await request(undefined, '/me')).status, 503)
  t.same(await readTables(pool, ownTables), before)
})

/** A service that gives back what it gets. */
async function echo(t: Test): Promise<number> {
  const sockets = new Set<Socket>()
  const service = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).pipe(socket)
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    service.close()
  })
  return (service.address() as AddressInfo).port
}

/** What comes back through a public port, if anything does. */
async function play(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write(text)
    const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })
    return String(data)
  } catch {
    return ''
  } finally {
    socket.destroy()
  }
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms`)
    await delay(100)
  }
}
