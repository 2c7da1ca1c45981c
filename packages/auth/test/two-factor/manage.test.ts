import { Authenticator, definePlugin, type Principal } from '@sallyport/core'
import t from 'tap'
import { admin, enrol, login, sql, startTwoFactorPanel, tempTokenOf, userMaker, verifyLogin } from './support.js'

/** Signs in whoever says so, as a key or device that is not there. */
const impostor = definePlugin({
  name: 'test.impostor',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services, scope }) {
    scope.defer(
      services.authenticator.use({
        name: 'impostor',
        schemes: [],
        credentialHeaders: ['x-principal'],
        authenticate({ headers }) {
          const header = headers['x-principal']
          if (typeof header !== 'string') return { kind: 'absent' }
          const [kind, userId] = header.split(' ') as [Principal['kind'], string]
          const principal = { kind, id: 'key', userId, permissions: ['*'], memberships: [], strategy: 'impostor' }
          return { kind: 'authenticated', principal }
        },
      }),
    )
  },
})

t.test('second factors that are on', async (t) => {
  const panel = await startTwoFactorPanel(t, { plugins: [impostor()] })
  const { call, audited } = panel
  const makeUser = userMaker(panel)
  const rowsOf = async (userId: string): Promise<number> => {
    const tables = ['', '_setups', '_recovery_codes', '_email_codes']
    const union = tables.map((table) => `SELECT user_id FROM auth_two_factor${table}`).join(' UNION ALL ')
    const [row] = await sql(panel, `SELECT count(*)::int AS count FROM (${union}) AS r WHERE user_id = '${userId}'`)
    return Number(row?.['count'])
  }

  await t.test('are turned off by a code of the app', async (t) => {
    const user = await enrol(call, await makeUser())
    const off = (body: object) => call('POST', '/api/auth/2fa/disable', { token: user.token, body })
    t.equal((await off({ token: user.app.wrong() })).status, 401)
    t.equal((await off({ token: user.first })).status, 401, 'not by one that was used')
    t.ok(audited.some(({ action, target }) => action === 'two-factor.refused' && target?.id === user.id))
    const tempToken = await tempTokenOf(call, user)
    t.same((await off({ token: await user.app.next() })).body, { success: true })
    t.equal(await rowsOf(user.id), 0)
    t.ok((await login(call, user)).body.token)
    t.equal((await verifyLogin(call, { tempToken, backupCode: user.recoveryCodes[0] })).status, 401)
    const again = await off({ token: await user.app.next() })
    t.equal(again.status, 409)
    t.equal(again.body.error, 'two_factor_off')
    t.match(
      audited.find(({ action, target }) => action === 'two-factor.disabled' && target?.id === user.id),
      { actor: { id: user.id }, data: { method: 'totp' } },
    )
  })

  await t.test('are turned off by a recovery code', async (t) => {
    const user = await enrol(call, await makeUser())
    const off = (backupCode: unknown) =>
      call('POST', '/api/auth/2fa/disable', { token: user.token, body: { backupCode } })
    t.equal((await off('0000-0000-0000-0000')).status, 401)
    t.equal((await off(user.recoveryCodes[0])).status, 200)
    t.equal(await rowsOf(user.id), 0)
  })

  await t.test('get new recovery codes in the place of the old', async (t) => {
    const user = await enrol(call, await makeUser())
    const renew = (token: string) =>
      call('POST', '/api/auth/2fa/recovery-codes', { token: user.token, body: { token } })
    t.equal((await renew(user.app.wrong())).status, 401)
    const { status, body } = await renew(await user.app.next())
    t.equal(status, 200)
    t.equal(body.recoveryCodes.length, 10)
    const tempToken = await tempTokenOf(call, user)
    t.equal((await verifyLogin(call, { tempToken, backupCode: user.recoveryCodes[0] })).status, 401)
    t.equal((await verifyLogin(call, { tempToken, backupCode: body.recoveryCodes[0] })).status, 200)
    const { token } = (await login(call, await makeUser())).body
    const off = await call('POST', '/api/auth/2fa/recovery-codes', { token, body: { token: '123456' } })
    t.equal(off.status, 409)
  })

  await t.test('the session that turned them on stays good for what is delicate', async (t) => {
    const user = await enrol(call, await makeUser())
    const { body } = await call('GET', '/api/auth/session', { token: user.token })
    t.same(body.session.methods, ['password', 'totp'])
    t.equal((await call('GET', '/api/auth/2fa/setup', { token: user.token })).status, 200)
  })

  await t.test('prove again who one is, once for each code', async (t) => {
    const user = await enrol(call, await makeUser())
    const prove = (body: object) => call('POST', '/api/auth/reauthenticate', { token: user.token, body })
    t.equal((await prove({ token: user.app.wrong() })).status, 401)
    const malformed = await prove({ token: 'abc' })
    t.equal(malformed.status, 400)
    t.equal(malformed.body.errors[0].path, '/token')
    const token = await user.app.next()
    t.equal((await prove({ token })).status, 200)
    t.equal((await prove({ token })).status, 401)
    const tempToken = await tempTokenOf(call, user)
    t.equal((await verifyLogin(call, { tempToken, token })).status, 401, 'nor does it sign in then')
    const other = (await login(call, await makeUser())).body
    const off = await call('POST', '/api/auth/reauthenticate', { token: other.token, body: { token: '123456' } })
    t.equal(off.status, 401, 'of nobody without a second factor')
  })

  await t.test('are no matter of keys and devices', async (t) => {
    const user = await enrol(call, await makeUser(['*']))
    const victim = await enrol(call, await makeUser())
    const routes = [
      ['GET', '/api/auth/2fa'],
      ['GET', '/api/auth/2fa/setup'],
      ['POST', '/api/auth/2fa/verify'],
      ['POST', '/api/auth/2fa/disable'],
      ['POST', '/api/auth/2fa/recovery-codes'],
      ['DELETE', `/api/users/${victim.id}/2fa`],
    ] as const
    for (const kind of ['apiKey', 'device']) {
      for (const [method, path] of routes) {
        const body = method === 'POST' ? { body: { token: '123456' } } : {}
        const answer = await call(method, path, { ...body, headers: { 'x-principal': `${kind} ${user.id}` } })
        t.equal(answer.status, 403, `${kind} ${path}`)
      }
    }
    const setup = await call('GET', '/api/auth/2fa/setup', { headers: { 'x-principal': `user ${user.id}` } })
    t.equal(setup.status, 403, 'nor of people without a session')
    t.ok((await rowsOf(victim.id)) > 0)
  })

  await t.test('are taken away by an administrator from who has lost them', async (t) => {
    const { token } = (await login(call, admin)).body
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    const remove = (id: string, by = token) => call('DELETE', `/api/users/${id}/2fa`, { token: by })
    t.same((await remove(user.id)).body, { success: true })
    t.equal(await rowsOf(user.id), 0)
    t.ok((await login(call, user)).body.token, 'the password alone signs in')
    t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 401)
    t.equal((await call('GET', '/api/auth/session', { token: user.token })).status, 200, 'their sessions go on')
    t.match(
      audited.find(({ action, target }) => action === 'two-factor.removed' && target?.id === user.id),
      { actor: { name: admin.email } },
    )
    t.equal((await remove(user.id)).status, 200, 'again: it is off')
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', "'"]) t.equal((await remove(id)).status, 404, id)
    const own = await remove((await call('GET', '/api/auth/session', { token })).body.user.id)
    t.equal(own.status, 409)
    t.equal(own.body.error, 'own_two_factor')
  })

  await t.test('are taken away by nobody who may not, or holds less', async (t) => {
    const victim = await enrol(call, await makeUser(['servers:read']))
    const remove = async (permissions: string[]) => {
      const { token } = (await login(call, await makeUser(permissions))).body
      return call('DELETE', `/api/users/${victim.id}/2fa`, { token })
    }
    t.equal((await remove([])).status, 403)
    t.equal((await remove(['users:read'])).status, 403)
    t.equal((await remove(['users:write'])).status, 403, 'the user holds more')
    t.ok((await rowsOf(victim.id)) > 0)
    t.equal((await remove(['users:write', 'servers:*'])).status, 200)
  })

  await t.test('go with their user', async (t) => {
    const { token } = (await login(call, admin)).body
    const user = await enrol(call, await makeUser())
    await call('GET', '/api/auth/2fa/setup', { token: user.token })
    t.equal(await rowsOf(user.id), 12)
    t.equal((await call('DELETE', `/api/users/${user.id}`, { token })).status, 200)
    t.equal(await rowsOf(user.id), 0)
  })
})
