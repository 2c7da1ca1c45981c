import { createServer } from 'node:http'
import { Authenticator, Database, Http } from '@sallyport/core'
import { authenticationStrategyContract } from '@sallyport/core/testing'
import t from 'tap'
import { generateKey } from '../../dist/strategies/api-key/key-text.js'
import { type CallOptions, createClient } from '../support/client.js'
import { until } from '../support/until.js'
import { as, carry, inSeconds, startKeyPanel } from './support.js'

t.test('signing a request by an API key', async (t) => {
  const panel = await startKeyPanel(t)
  const { admin, call, addUser, newKey, statusOf } = panel
  const user = await addUser(['servers:read'])
  const { id, key } = await newKey(user, { permissions: ['servers:read'] })
  const { sequelize } = panel.kernel.get(Database)
  const ask = (options: CallOptions) => call('GET', '/api/auth/session', options)
  const withHeaders = (headers: Record<string, string>) => ask({ headers })
  /** Every place that a credential can be put. */
  const slots = (text: string): CallOptions[] => [
    { headers: { 'x-api-key': text } },
    { headers: { authorization: `ApiKey ${text}` } },
    { headers: { authorization: `Bearer ${text}` } },
    { headers: { authorization: text } },
    { headers: { authorization: `Basic ${Buffer.from(`${text}:`).toString('base64')}` } },
    { headers: { cookie: `session=${encodeURIComponent(text)}` } },
  ]

  t.test('in two ways', async (t) => {
    for (const headers of [
      { 'x-api-key': key },
      { authorization: `ApiKey ${key}` },
      { authorization: `apikey   ${key}` },
      { authorization: `ApiKey ${key}`, 'x-api-key': key },
    ]) {
      const { status, body } = await withHeaders(headers as Record<string, string>)
      t.equal(status, 200)
      t.equal(body.user.id, user.id)
      t.equal(body.session, null)
      t.same(body.authentication, { strategy: 'api-key', kind: 'apiKey', id, permissions: ['servers:read'] })
    }
    for (const options of slots(key).slice(2)) t.equal((await ask(options)).status, 401, JSON.stringify(options))
    for (const path of [`/api/auth/session?apiKey=${key}`, `/api/auth/session?x-api-key=${key}`]) {
      t.equal((await call('GET', path)).status, 401)
    }
  })

  t.test('may what it is for and no more', async (t) => {
    const readers = await addUser(['users:read', 'users:write'])
    const reader = await newKey(readers, { permissions: ['users:read'] })
    t.equal((await as(call, reader)('GET', '/api/users')).status, 200)
    t.equal((await as(call, reader)('POST', '/api/users', { email: 'a@b.c', password: 'long enough' })).status, 403)
    t.equal((await as(call, { key })('GET', '/api/users')).status, 403)
    for (const [method, path] of [
      ['GET', '/api/auth/sessions'],
      ['POST', '/api/auth/logout'],
    ] as const) {
      t.equal((await as(call, { key })(method, path)).status, 403, path)
    }
  })

  t.test('nothing that the database holds opens anything', async (t) => {
    const [tables] = await sequelize.query('SELECT to_jsonb(k) AS row FROM auth_api_keys k')
    const values = (tables as { row: Record<string, unknown> }[])
      .flatMap(({ row }) => Object.values(row))
      .flat()
      .map(String)
    t.ok(values.length > 10)
    for (const value of new Set(values.filter((text) => text !== ''))) {
      for (const options of slots(value))
        t.equal((await ask(options)).status, 401, `${value} ${JSON.stringify(options)}`)
    }
  })

  t.test('a mistyped key asks the database nothing', async (t) => {
    const asked: string[] = []
    const { query } = sequelize
    sequelize.query = ((sql: string, ...rest: unknown[]) => {
      // When keys were used is written now and then, whoever asks what.
      if (sql.includes('auth_api_keys') && !sql.includes('SET last_used_at')) asked.push(sql)
      return (query as (...args: unknown[]) => unknown).call(sequelize, sql, ...rest)
    }) as typeof query
    t.teardown(() => Object.assign(sequelize, { query }))
    for (let at = 0; at < key.length; at += 1) {
      const flipped = key.slice(0, at) + (key[at] === 'x' ? 'y' : 'x') + key.slice(at + 1)
      if ((await withHeaders({ 'x-api-key': flipped })).status !== 401) t.fail(flipped)
    }
    for (const text of [key.slice(0, -1), `${key}x`, '', 'sp_c_', 'x'.repeat(54), key.slice(0, 11)]) {
      t.equal((await withHeaders({ 'x-api-key': text })).status, 401, text)
      t.equal((await withHeaders({ authorization: `ApiKey ${text}` })).status, 401, text)
    }
    t.same(asked, [])
    t.equal((await withHeaders({ 'x-api-key': generateKey('client') })).status, 401, 'well-formed and not known')
    t.equal(asked.length, 1, 'was looked up once')
  })

  t.test('what is malformed is 401', async (t) => {
    for (const authorization of [
      'ApiKey',
      'ApiKey ',
      `ApiKey ${key} ${key}`,
      `ApiKey ${key},${key}`,
      `ApiKey,${key}`,
      `ApiKey\t${key}`,
      `ApiKey "${key}"`,
      `ApiKey key=${key}`,
      `Api-Key ${key}`,
      `X-Api-Key ${key}`,
      `ApiKey ${'x'.repeat(10_000)}`,
      'ApiKey __proto__',
    ]) {
      const answer = await withHeaders({ authorization })
      t.equal(answer.status, 401, authorization.slice(0, 40))
      t.match(answer.headers['www-authenticate'], /ApiKey/)
    }
    for (const text of [
      ' ',
      '[]',
      'null',
      '__proto__',
      'constructor',
      'x'.repeat(10_000),
      `${key}, ${key}`,
      `"${key}"`,
    ]) {
      t.equal((await withHeaders({ 'x-api-key': text })).status, 401, text.slice(0, 40))
    }
    const { token } = user
    t.equal((await ask({ token, headers: { 'x-api-key': 'nonsense' } })).status, 401, 'beside a session that is valid')
    const twice = await call('GET', '/api/auth/session', { headers: { 'x-api-key': [key, key] } as never })
    t.equal(twice.status, 401, 'two headers')
    const { headers } = await withHeaders({ 'x-api-key': 'x'.repeat(100_000) })
    t.ok(headers, 'is answered')
  })

  t.test('100 kB are 401 where the server takes such headers', async (t) => {
    const server = createServer({ maxHeaderSize: 300_000 }, panel.kernel.get(Http).handler)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { port } = server.address() as { port: number }
    const large = createClient(`http://127.0.0.1:${port}`)
    const text = 'x'.repeat(100_000)
    for (const headers of [{ 'x-api-key': text }, { authorization: `ApiKey ${text}` }, { authorization: text }]) {
      t.equal((await large('GET', '/api/auth/session', { headers: headers as never })).status, 401)
      t.equal((await call('GET', '/api/auth/session', { headers: headers as never })).status, 431)
    }
  })

  t.test('two principals in one request are 400', async (t) => {
    const other = await newKey(user)
    for (const options of [
      { token: admin.token, headers: carry(key) },
      { token: user.token, headers: carry(key) },
      { cookie: user.token, headers: carry(key) },
      { cookie: user.token, headers: { authorization: `ApiKey ${key}` } },
      { headers: { authorization: `ApiKey ${key}`, 'x-api-key': other.key } },
    ]) {
      const answer = await ask(options)
      t.same([answer.status, answer.body.error], [400, 'conflicting_credentials'])
    }
  })

  t.test('an expired key is 401', async (t) => {
    const ends = await newKey(user, { expiresAt: inSeconds(3600) })
    t.equal(await statusOf(ends.key), 200)
    await sequelize.query('UPDATE auth_api_keys SET expires_at = now() WHERE id = $1', { bind: [ends.id] })
    await as(call, user)('PATCH', `/api/apikeys/${ends.id}`, { name: 'told to the cache' })
    t.equal(await statusOf(ends.key), 401)
    const end = Date.now() + 3_000
    const soon = await newKey(user, { expiresAt: new Date(end).toISOString() })
    t.equal(await statusOf(soon.key), 200)
    await until('its end', async () => {
      const asked = Date.now()
      const status = await statusOf(soon.key)
      if (status === 200 && asked >= end) t.fail(`it is known ${asked - end} ms after its end`)
      return status === 401
    })
  })

  t.test('is documented', async (t) => {
    const { body } = await call('GET', '/api/openapi.json')
    t.match(body.components.securitySchemes, {
      apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      apiKeyAuthorization: { type: 'http', scheme: 'ApiKey' },
    })
    t.ok(body.paths['/api/apikeys/{id}/rotate'])
  })

  t.test('contract suite', async (t) => {
    const strategy = panel.kernel.get(Authenticator).strategies.find(({ name }) => name === 'api-key')
    if (!strategy) throw new Error('there is no such strategy')
    const runner = {
      test: (name: string, body: () => Promise<void>) => t.test(name, async (t) => void (await t.resolves(body()))),
    }
    for (const put of [
      (text: string) => ({ headers: { 'x-api-key': text } }),
      (text: string) => ({ headers: { authorization: `ApiKey ${text}` } }),
    ]) {
      authenticationStrategyContract(runner, async () => {
        const valid = await newKey(user, { permissions: ['servers:read'] })
        const elsewhere = await newKey(user, { allowedIps: ['203.0.113.1'] })
        const ended = await newKey(user)
        await as(call, user)('DELETE', `/api/apikeys/${ended.id}`)
        return {
          strategy,
          valid: put(valid.key),
          invalid: [
            put(ended.key),
            put(generateKey('admin')),
            put(`${valid.key.slice(0, -1)}!`),
            put('nonsense'),
            put(elsewhere.key),
          ],
          foreign: [
            { headers: { authorization: `Bearer ${user.token}` } },
            { headers: { authorization: `Bearer ${valid.key}` } },
            { cookies: { session: valid.key, 'x-api-key': valid.key } },
          ],
          revoke: async () => void (await as(call, user)('DELETE', `/api/apikeys/${valid.id}`)),
        }
      })
    }
  })
})
