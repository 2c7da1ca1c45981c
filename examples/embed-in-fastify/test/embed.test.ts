// The panel with Sallyport in it, in this process: what the panel had stays as it was.
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { embeddingLines } from './support/lines.js'
import { testEnvironment } from './support/program.js'
import { otherTables, readTables } from './support/tables.js'

// The database starts slowly on a busy machine.
t.setTimeout(120_000)

Object.assign(process.env, testEnvironment())
const { createApp } = await import('../dist/panel/app.js')
const { closeDatabase, pool, prepareDatabase } = await import('../dist/panel/database.js')
const { sallyport } = await import('../dist/sallyport.js')

const ownTables = ['roles', 'accounts', 'servers']
const maxLines = 20
const password = 'correct horse battery staple'

t.test('costs at most twenty lines', async (t) => {
  const lines = await embeddingLines(new URL('../src/', import.meta.url))
  t.ok(lines.length <= maxLines, `${lines.length} lines`)
  t.ok(lines.length > maxLines / 2, 'those that are there have been found')
})

t.test('people, permissions and tables of the panel stay as they are', async (t) => {
  await prepareDatabase()
  const before = await readTables(pool, ownTables)
  const app = await createApp()
  t.teardown(async () => {
    await app.close()
    await closeDatabase()
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`

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
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
    return { status: response.status, headers: response.headers, body: (await response.json()) as any }
  }
  const login = async (name: string): Promise<string> =>
    (await request(undefined, '/api/auth/login', { email: `${name}@example.com`, password })).body.token

  await t.test('by their passwords', async (t) => {
    t.equal(
      (await request(undefined, '/api/auth/login', { email: 'mallory@example.com', password })).status,
      401,
      'locked',
    )
    t.equal((await request(undefined, '/api/auth/login', { email: 'grace@example.com', password: 'x' })).status, 401)
    t.match(await request(await login('grace'), '/api/auth/session'), {
      body: { user: { id: '2', name: 'Grace', permissions: [] } },
    })
    t.match(await request(await login('ada'), '/api/auth/session'), { body: { user: { id: '1', permissions: ['*'] } } })
  })

  await t.test('on the panel’s own routes', async (t) => {
    const [ada, grace] = [await login('ada'), await login('grace')]
    const names = async (token: string) =>
      (await request(token, '/servers')).body.servers.map(({ name }: { name: string }) => name)
    t.same(await names(grace), ['survival', 'islands'])
    t.same(await names(ada), ['survival', 'islands', 'arena'])
    t.equal((await request(grace, '/servers/3/restart', {})).status, 404)
    t.equal((await request(grace, '/servers/1/restart', {})).body.server.restarts, 1)
    t.equal((await request(ada, '/servers/1/restart', {})).body.server.restarts, 2)

    const nobody = await request(undefined, '/servers')
    t.match(nobody.body, { statusCode: 401, code: 'CORE_ERR_UNAUTHENTICATED' }, 'in the panel’s own form')
    t.match(nobody.headers.get('www-authenticate'), 'Bearer')
    t.equal((await request('a.b.c', '/servers')).status, 401)
    const cookie = { cookie: `session=${grace}`, origin: 'https://evil.example' }
    t.equal((await request(undefined, '/servers/1/restart', {}, cookie)).status, 403, 'not from another site')
    const { apiKey } = (await request(grace, '/api/apikeys', { name: 'k', type: 'client', permissions: [] })).body
    t.equal((await request(undefined, '/servers', undefined, { 'x-api-key': apiKey })).status, 403, 'not for keys')
    t.equal((await request(undefined, '/nothing')).body.message, 'Route GET:/nothing not found', 'its own 404')

    await pool.query("UPDATE accounts SET locked = true WHERE email = 'grace@example.com'")
    const end = performance.now() + 20_000
    while ((await request(grace, '/servers')).status !== 401 && performance.now() < end) await delay(100)
    t.equal((await request(grace, '/servers')).status, 401, 'locking an account in the panel locks it out')
    await pool.query("UPDATE accounts SET locked = false WHERE email = 'grace@example.com'")
    await pool.query('UPDATE servers SET restarts = 0')
  })

  await t.test('tunnels lead to servers of one’s own', async (t) => {
    const [ada, grace] = [await login('ada'), await login('grace')]
    const { userCode } = (await request(grace, '/api/tunnel/device/start', { name: 'home' })).body
    t.equal((await request(grace, '/api/tunnel/device/approve', { userCode })).status, 403)
    const { device } = (await request(ada, '/api/tunnel/device/approve', { userCode })).body
    t.equal(device.ownerId, '2')
    const open = (localPort: number, token = grace) =>
      request(token, '/api/tunnel/allocations', { deviceId: device.id, localPort, protocol: 'tcp' })
    t.equal((await open(25_565)).status, 201)
    t.equal((await open(7_777)).status, 201)
    t.match(await open(25_570), { status: 403, body: { error: 'allocation_refused' } }, 'that one is Linus’s')
    t.equal((await open(22, ada)).status, 403, 'whoever asks')
    t.match(await request(await login('linus'), '/api/tunnel/allocations'), { body: { allocations: [] } })
    t.equal(
      (await (await fetch(`${url}/tunnel/verify?user_code=${userCode}`)).text()).includes('Let a machine in'),
      true,
    )
  })

  t.same(await readTables(pool, ownTables), before, 'the panel’s tables and rows are as they were')
  const others = await otherTables(pool, ownTables)
  t.ok(others.length > 5)
  t.ok(
    others.every((name) => /^(core|auth|tunnel|sallyport)_/.test(name)),
    others.join(),
  )

  await app.close()
  t.equal(sallyport.state, 'stopped', 'closing the app stops Sallyport')
  t.same(await readTables(pool, ownTables), before, 'and the panel’s pool is still its own')
})
