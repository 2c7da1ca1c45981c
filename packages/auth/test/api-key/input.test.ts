import t from 'tap'
import { as, inSeconds, startKeyPanel } from './support.js'

const long = 'x'.repeat(1_000_000)
const nonsense: readonly unknown[] = [['x'], {}, { x: 1 }, null, true, 1, long, '', [[]], [null], [1], '\0']

t.test('names the field that is wrong', async (t) => {
  const { admin, call, createKey, newKey, statusOf } = await startKeyPanel(t)
  const { id, key } = await newKey(admin)
  const good = { name: 'x', type: 'client' }
  const fits: Record<string, readonly unknown[]> = {
    permissions: [['x']],
    'change expiresAt': [null],
  }
  const check = async (field: string, value: unknown, patch: boolean): Promise<void> => {
    const what = `${patch ? 'change ' : ''}${field}`
    if ((fits[what] ?? fits[field] ?? []).some((fit) => JSON.stringify(fit) === JSON.stringify(value))) return
    const answer = patch
      ? await as(call, admin)('PATCH', `/api/apikeys/${id}`, { [field]: value })
      : await createKey(admin, { ...good, [field]: value })
    const paths = (answer.body.errors ?? []).map(({ path }: { path: string }) => path)
    const named = paths.some((path: string) => path === `/${field}` || path.startsWith(`/${field}/`))
    t.ok(answer.status === 400 && named, `${what} ${JSON.stringify(value).slice(0, 20)}: ${answer.status} ${paths}`)
  }
  for (const value of nonsense) {
    for (const field of ['name', 'type', 'permissions', 'expiresAt', 'userId', 'allowedIps']) {
      if (field === 'userId' && value === '\0') continue
      await check(field, value, false)
    }
    for (const field of ['name', 'permissions', 'expiresAt', 'allowedIps']) await check(field, value, true)
  }
  for (const field of ['unknown', '__proto__', 'constructor', 'digest', 'id']) {
    const body = `{"name":"x","type":"client","${field}":"x"}`
    t.equal((await call('POST', '/api/apikeys', { token: admin.token, body })).status, 400, field)
  }
  for (const field of ['type', 'userId', 'prefix', 'createdAt']) await check(field, 'client', true)

  const expiries = [
    inSeconds(-1),
    '2020-01-01T00:00:00Z',
    inSeconds(11 * 365 * 86_400),
    'tomorrow',
    '2030-01-01',
    '2030-02-30T00:00:00Z',
    '2029-12-31T23:59:60Z',
    '9999-12-31T23:59:59.999Z',
  ]
  for (const expiresAt of expiries) {
    await check('expiresAt', expiresAt, false)
    await check('expiresAt', expiresAt, true)
  }
  for (const permission of ['', ':', 'servers:', '*:read', 'servers read', 'é', 'a'.repeat(201), 'servers:read\n']) {
    await check('permissions', [permission], false)
    await check('permissions', [permission], true)
  }
  for (const ip of ['', 'x', '127.0.0.1/33', '127.0.0', 'localhost', 'fe80::1%eth0', '::/129', '1.2.3.4, 5.6.7.8']) {
    const answer = await createKey(admin, { ...good, allowedIps: ['127.0.0.1', ip] })
    t.same([answer.status, answer.body.errors?.[0]?.path], [400, '/allowedIps/1'], ip)
    await check('allowedIps', [ip], true)
  }
  await check(
    'allowedIps',
    Array.from({ length: 101 }, (_, n) => `10.0.0.${n}`),
    false,
  )
  await check('allowedIps', ['::1', '::1'], false)
  await check(
    'permissions',
    Array.from({ length: 201 }, (_, n) => `servers:${n}`),
    false,
  )

  for (const body of [undefined, '', '[]', 'null', '1', '"x"', '{', '{}']) {
    t.equal((await call('POST', '/api/apikeys', { token: admin.token, body })).status, 400, `body ${body}`)
    t.equal((await call('PATCH', `/api/apikeys/${id}`, { token: admin.token, body })).status, 400, `body ${body}`)
  }
  for (const other of ['x', id.slice(1), `${id}0`, "'", '%00', '..%2f', long.slice(0, 2_000)]) {
    for (const [method, rest] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const) {
      const { status } = await call(method, `/api/apikeys/${other}${rest}`, { token: admin.token })
      t.ok([400, 404, 414].includes(status), `${method} ${other.slice(0, 40)}: ${status}`)
    }
  }
  for (const query of ['limit=0', 'limit=501', 'limit=x', 'offset=-1', 'limit=1&limit=2', 'userId=x', 'limit=1e2']) {
    t.equal((await call('GET', `/api/apikeys?${query}`, { token: admin.token })).status, 400, query)
  }
  t.equal(await statusOf(key), 200, 'and the key is as it was')
})
