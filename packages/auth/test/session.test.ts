import { createHmac, randomUUID } from 'node:crypto'
import { Database, defineEvent, Events, Tokens } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import type { EndedCredentials } from '../dist/credential-cache.js'
import { userChanged } from '../dist/directory/user-changed.js'
import { directory } from '../dist/index.js'
import { startPanel } from './support/panel.js'

const email = 'Admin@localhost'
const password = 'correct horse battery'

t.test('sessions', async (t) => {
  const { kernel, call, origin, audited } = await startPanel(t, {
    users: directory({ firstAdministrator: { email, password } }),
  })
  const login = async (): Promise<string> => {
    const { status, body } = await call('POST', '/api/auth/login', { body: { email, password } })
    t.equal(status, 200)
    return body.token
  }
  const statusOf = async (token: string): Promise<number> => (await call('GET', '/api/auth/session', { token })).status
  const rows = (sql: string): Promise<Record<string, unknown>[]> =>
    kernel.get(Database).sequelize.query(sql, { type: QueryTypes.SELECT })

  t.test('sign-in gives a token, the user and a cookie that no script reads', async (t) => {
    const { status, body, cookies, headers } = await call('POST', '/api/auth/login', { body: { email, password } })
    t.equal(status, 200)
    t.match(body.token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    t.match(body.user, { email, name: null, permissions: ['*'], memberships: [] })
    t.same(Object.keys(body).sort(), ['token', 'user'])
    t.same(Object.keys(body.user).sort(), ['email', 'id', 'memberships', 'name', 'permissions'])
    t.equal(cookies.length, 1)
    const [pair, ...attributes] = (cookies[0] ?? '').split('; ')
    t.equal(pair, `session=${body.token}`)
    t.same(attributes.sort(), ['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax'])
    t.match(headers['cache-control'] ?? 'no-store', /no-store/)
  })

  t.test('the token signs requests, as Bearer and as cookie', async (t) => {
    const token = await login()
    for (const credential of [{ token }, { cookie: token }, { token, cookie: token }]) {
      const { status, body } = await call('GET', '/api/auth/session', credential)
      t.equal(status, 200)
      t.equal(body.user.email, email)
      t.match(body.session, { current: true, ip: /127\.0\.0\.1|::1/ })
      t.match(body.authentication, { strategy: 'session', kind: 'user', id: body.user.id, permissions: ['*'] })
    }
    t.equal((await call('GET', '/api/auth/session', { headers: { authorization: `bearer ${token}` } })).status, 200)
    t.equal((await call('GET', '/api/auth/session')).status, 401)
  })

  t.test('e-mails differ not by case or form, passwords not by form', async (t) => {
    for (const spelling of ['admin@localhost', 'ADMIN@LOCALHOST', 'ａｄｍｉｎ@localhost']) {
      t.equal((await call('POST', '/api/auth/login', { body: { email: spelling, password } })).status, 200, spelling)
    }
  })

  t.test('a wrong password and an unknown account get one answer', async (t) => {
    const wrong = await call('POST', '/api/auth/login', { body: { email, password: 'wrong' } })
    const unknown = await call('POST', '/api/auth/login', { body: { email: 'nobody@localhost', password } })
    for (const { status, body, cookies, headers } of [wrong, unknown]) {
      t.equal(status, 401)
      t.equal(body.error, 'invalid_credentials')
      t.ok(headers['www-authenticate'])
      t.same(cookies, [])
    }
    const { requestId: first, ...a } = wrong.body
    const { requestId: second, ...b } = unknown.body
    t.not(first, second)
    t.same(a, b)
  })

  t.test('logout kills the token and clears the cookie', async (t) => {
    const token = await login()
    const other = await login()
    const { status, body, cookies } = await call('POST', '/api/auth/logout', { cookie: token })
    t.equal(status, 200)
    t.same(body, { success: true })
    t.match(cookies[0], /^session=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/)
    t.equal(await statusOf(token), 401)
    t.equal((await call('GET', '/api/auth/session', { cookie: token })).status, 401)
    t.equal((await call('POST', '/api/auth/logout', { token })).status, 401, 'once')
    t.equal(await statusOf(other), 200)
  })

  t.test('sessions are listed, revoked one by one and all but the present', async (t) => {
    const [mine, second, third] = [await login(), await login(), await login()]
    const { body } = await call('GET', '/api/auth/sessions', { token: mine, headers: { 'user-agent': 'x' } })
    const current = body.sessions.filter((entry: { current: boolean }) => entry.current)
    t.equal(current.length, 1)
    const idOf = async (token: string): Promise<string> =>
      (await call('GET', '/api/auth/session', { token })).body.session.id
    t.equal(current[0].id, await idOf(mine))
    const secondId = await idOf(second)
    t.same((await call('DELETE', `/api/auth/sessions/${secondId}`, { token: mine })).body, { success: true })
    t.equal(await statusOf(second), 401)
    t.equal((await call('DELETE', `/api/auth/sessions/${secondId}`, { token: mine })).status, 404, 'again')
    for (const id of [randomUUID(), 'x', '%00', "1'--"]) {
      const { status } = await call('DELETE', `/api/auth/sessions/${id}`, { token: mine })
      t.ok(status === 404 || status === 400, `${id}: ${status}`)
    }
    const others = await call('DELETE', '/api/auth/sessions', { token: mine })
    t.equal(others.body.success, true)
    t.ok(others.body.revoked >= 1)
    t.equal(await statusOf(third), 401)
    t.equal(await statusOf(mine), 200)
  })

  t.test('tokens that are forged, foreign or altered are refused', async (t) => {
    const token = await login()
    const [header = '', payload = '', signature = ''] = token.split('.')
    const decode = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString())
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const head = decode(header)
    const claims = decode(payload)
    const sign = (left: string, key: string): string => createHmac('sha256', key).update(left).digest('base64url')
    const flipped = Buffer.from(signature, 'base64url')
    flipped[0] = (flipped[0] ?? 0) ^ 1
    const forgeries: Record<string, string> = {
      'alg none': `${encode({ ...head, alg: 'none' })}.${payload}.`,
      'alg none, kept signature': `${encode({ ...head, alg: 'none' })}.${payload}.${signature}`,
      'alg NONE': `${encode({ ...head, alg: 'NONE' })}.${payload}.`,
      'alg HS512': `${encode({ ...head, alg: 'HS512' })}.${payload}.${signature}`,
      'alg RS256': `${encode({ ...head, alg: 'RS256' })}.${payload}.${signature}`,
      crit: `${encode({ ...head, crit: ['x'], x: 1 })}.${payload}.${signature}`,
      'flipped bit': `${header}.${payload}.${flipped.toString('base64url')}`,
      'no signature': `${header}.${payload}.`,
      'later expiry': `${header}.${encode({ ...claims, exp: 9_999_999_999 })}.${signature}`,
      'another subject': `${header}.${encode({ ...claims, sub: randomUUID() })}.${signature}`,
      'empty key': `${header}.${payload}.${sign(`${header}.${payload}`, '')}`,
      'key named kid': `${header}.${payload}.${sign(`${header}.${payload}`, String(head['kid']))}`,
      'another purpose': kernel
        .get(Tokens)
        .issuer('device')
        .issue({ subject: String(claims['sub']), id: String(claims['jti']) }),
      'made of nothing': 'x',
      'three dots': '...',
      'a long one': 'x'.repeat(8000),
    }
    for (const [name, forgery] of Object.entries(forgeries)) {
      t.equal(await statusOf(forgery), 401, `${name}, as Bearer`)
      t.equal((await call('GET', '/api/auth/session', { cookie: forgery })).status, 401, `${name}, as cookie`)
    }
    const unknown = kernel
      .get(Tokens)
      .issuer('session')
      .issue({ subject: String(claims['sub']), id: randomUUID() })
    t.equal(await statusOf(unknown), 401, 'well signed, of no session')
    const [stranger] = await rows('SELECT gen_random_uuid()::text AS id')
    const stolen = kernel
      .get(Tokens)
      .issuer('session')
      .issue({ subject: String(stranger?.['id']), id: String(claims['jti']) })
    t.equal(await statusOf(stolen), 401, 'well signed, of another subject')
    t.equal(await statusOf(token), 200, 'the real one')
  })

  t.test('nothing that the database holds lets its reader in', async (t) => {
    const token = await login()
    const values = new Set<string>()
    for (const table of ['auth_users', 'auth_sessions']) {
      for (const row of await rows(`SELECT * FROM ${table}`)) {
        for (const value of Object.values(row)) {
          if (value !== null) values.add(typeof value === 'string' ? value : JSON.stringify(value))
        }
      }
    }
    t.ok(values.size > 5)
    for (const value of values) {
      t.notOk(value.includes(token), 'no token')
      const safe = value.replaceAll(/[^\x21-\x7e]/g, '').slice(0, 4000)
      t.equal((await call('GET', '/api/auth/session', { token: safe })).status, 401)
      t.equal(
        (await call('GET', '/api/auth/session', { headers: { cookie: `session=${safe.replaceAll(/[;,]/g, '')}` } }))
          .status,
        401,
      )
    }
  })

  t.test('a cookie from another site changes nothing', async (t) => {
    const cookie = await login()
    const refused: readonly Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { origin, 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example', host: 'evil.example' },
    ]
    for (const headers of refused) {
      for (const [method, path] of [
        ['POST', '/api/auth/logout'],
        ['DELETE', '/api/auth/sessions'],
        ['POST', '/api/users'],
      ] as const) {
        const { status, body } = await call(method, path, {
          cookie,
          headers,
          ...(path === '/api/users' && { body: {} }),
        })
        t.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`)
        t.equal(body.error, 'cross_site_request')
      }
      t.equal((await call('GET', '/api/auth/session', { cookie, headers })).status, 200, 'a safe method')
      t.equal((await call('POST', '/api/auth/login', { body: { email, password }, headers })).status, 403, 'login')
    }
    const text = await call('POST', '/api/auth/password', {
      cookie,
      body: '{}',
      headers: { 'content-type': 'text/plain' },
    })
    t.equal(text.status, 415)
    t.equal((await call('DELETE', '/api/auth/sessions', { cookie, headers: { origin } })).status, 200, 'own origin')
    t.equal((await call('POST', '/api/auth/logout', { cookie })).status, 200, 'no browser')
  })

  t.test('credentials of two principals are a conflict, an ended session beside a good one is refused', async (t) => {
    const admin = await login()
    const user = { email: 'second@localhost', password: 'another password' }
    t.equal((await call('POST', '/api/users', { token: admin, body: user })).status, 201)
    const second = (await call('POST', '/api/auth/login', { body: user })).body.token
    t.equal((await call('GET', '/api/auth/session', { token: admin, cookie: second })).status, 400)
    const id = (await call('GET', '/api/auth/session', { token: second })).body.session.id
    t.equal((await call('DELETE', `/api/auth/sessions/${id}`, { token: admin })).status, 404, "another's is not there")
    t.equal((await call('GET', '/api/auth/session', { token: second })).status, 200)
    const ended = await login()
    await call('POST', '/api/auth/logout', { token: ended })
    t.equal((await call('GET', '/api/auth/session', { token: admin, cookie: ended })).status, 401)
  })

  t.test('two session cookies that differ are a conflict, two that do not are none', async (t) => {
    const [one, other] = [await login(), await login()]
    const statusWith = async (cookie: string): Promise<number> =>
      (await call('GET', '/api/auth/session', { headers: { cookie } })).status
    t.equal(await statusWith(`session=${one}; session=${other}`), 400)
    t.equal(await statusWith(`session=${one}; theme=dark; session=${one}`), 200)
    t.equal(await statusWith(`other_session=x; session=${one}`), 200)
  })

  t.test('what is heard late of a new password leaves the sessions begun with it', async (t) => {
    const user = { email: 'late@localhost', password: 'first password' }
    const admin = await login()
    const made = (await call('POST', '/api/users', { token: admin, body: user })).body.user
    const before = (await call('POST', '/api/auth/login', { body: user })).body.token
    const changed = { password: 'second password' }
    t.equal((await call('PATCH', `/api/users/${made.id}`, { token: admin, body: changed })).status, 200)
    const since = (await call('POST', '/api/auth/login', { body: { ...user, ...changed } })).body.token
    // As another instance does, to which Redis brings the event only now.
    await kernel.get(Events).emit(userChanged, { userId: made.id, change: 'password' })
    t.equal(await statusOf(before), 401)
    t.equal(await statusOf(since), 200)
    await kernel.get(Events).emit(userChanged, { userId: made.id, change: 'suspended' })
    t.equal(await statusOf(since), 401, 'whoever tells of a suspension means all')
  })

  t.test('use puts off the end of a session, written once a minute', async (t) => {
    const token = await login()
    const changed = async (sql: string): Promise<void> => {
      await rows(sql)
      await kernel.get(Events).emit(defineEvent<EndedCredentials>('auth.sessions.ended'), { ids: [id] })
    }
    const { id, expiresAt } = (await call('GET', '/api/auth/session', { token })).body.session
    const after = (await call('GET', '/api/auth/session', { token })).body.session
    t.equal(after.expiresAt, expiresAt, 'not within the minute')
    await changed(
      `UPDATE auth_sessions SET last_seen_at = now() - interval '2 minutes', expires_at = now() + interval '1 hour' WHERE id = '${id}'`,
    )
    await call('GET', '/api/auth/session', { token })
    const renewed = (await call('GET', '/api/auth/session', { token })).body.session
    t.ok(Date.parse(renewed.expiresAt) > Date.now() + 6 * 86_400_000, renewed.expiresAt)
    await changed(
      `UPDATE auth_sessions SET created_at = now() - interval '29 days 23 hours', last_seen_at = now() - interval '2 minutes' WHERE id = '${id}'`,
    )
    await call('GET', '/api/auth/session', { token })
    const last = (await call('GET', '/api/auth/session', { token })).body.session
    t.ok(Date.parse(last.expiresAt) < Date.now() + 3_700_000, 'never beyond its lifetime')
    await changed(`UPDATE auth_sessions SET expires_at = now() - interval '1 second' WHERE id = '${id}'`)
    t.equal(await statusOf(token), 401, 'expired')
  })

  t.test('a new password ends all other sessions', async (t) => {
    const user = { email: 'third@localhost', password: 'first password' }
    t.equal((await call('POST', '/api/users', { token: await login(), body: user })).status, 201)
    const begin = async (secret: string) =>
      call('POST', '/api/auth/login', { body: { email: user.email, password: secret } })
    const token = (await begin(user.password)).body.token
    const other = (await begin(user.password)).body.token
    const change = (body: unknown) => call('POST', '/api/auth/password', { token, body })
    const wrong = await change({ currentPassword: 'not it', newPassword: 'second password' })
    t.equal(wrong.status, 401)
    const short = await change({ currentPassword: user.password, newPassword: 'short' })
    t.equal(short.status, 400)
    t.equal(short.body.errors[0].path, '/newPassword')
    t.equal(await statusOf(other), 200)
    t.same((await change({ currentPassword: user.password, newPassword: 'second password' })).body, { success: true })
    t.equal(await statusOf(token), 200)
    t.equal(await statusOf(other), 401)
    t.equal((await call('GET', '/api/auth/sessions', { token })).body.sessions.length, 1)
    t.equal((await begin(user.password)).status, 401)
    t.equal((await begin('second password')).status, 200)
    t.equal((await call('POST', '/api/auth/password', { body: {} })).status, 401)
  })

  t.test('a field that is not what it must be is named', async (t) => {
    const token = await login()
    const nonsense = [[], {}, null, true, 1, 'x'.repeat(1_000_000)]
    const bodies: readonly [string, string, Record<string, unknown>, string | undefined][] = [
      ['POST', '/api/auth/login', { email, password }, undefined],
      ['POST', '/api/auth/password', { currentPassword: password, newPassword: password }, token],
    ]
    for (const [method, path, body, credential] of bodies) {
      for (const field of Object.keys(body)) {
        for (const value of nonsense) {
          const answer = await call(method, path, { body: { ...body, [field]: value }, token: credential })
          t.equal(answer.status, 400, `${path} ${field} ${JSON.stringify(value).slice(0, 20)}`)
          t.ok(answer.body.errors.some((error: { path: string }) => error.path === `/${field}`))
        }
        const { [field]: _, ...rest } = body
        const missing = await call(method, path, { body: rest, token: credential })
        t.equal(missing.status, 400)
        t.equal(missing.body.errors[0].path, `/${field}`)
      }
      t.equal(
        (await call(method, path, { body: { ...body, admin: true }, token: credential })).status,
        400,
        'unknown field',
      )
      for (const whole of [[], null, 1, 'text', true]) {
        t.equal((await call(method, path, { body: JSON.stringify(whole), token: credential })).status, 400)
      }
      t.equal((await call(method, path, { token: credential })).status, 400, 'no body')
    }
    for (const address of ['', 'x', 'a@b@c', 'a b@c', 'a@b\u0000', 'a@b\n', 'a＠b@c']) {
      const answer = await call('POST', '/api/auth/login', { body: { email: address, password } })
      t.equal(answer.status, 400, JSON.stringify(address))
      t.equal(answer.body.errors[0].path, '/email')
    }
  })

  t.test('what happened is in the audit log, and no secret is', async (t) => {
    const token = await login()
    await call('POST', '/api/auth/login', { body: { email, password: 'not the password' } })
    await call('POST', '/api/auth/logout', { token })
    for (const action of [
      'session.created',
      'session.refused',
      'session.ended',
      'session.revoked',
      'password.changed',
    ]) {
      t.ok(
        audited.some((record) => record.action === action),
        action,
      )
    }
    for (const secret of [token, password, 'not the password', 'second password'])
      t.notOk(JSON.stringify(audited).includes(secret))
  })
})
