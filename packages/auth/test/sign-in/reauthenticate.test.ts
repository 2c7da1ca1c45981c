import { Database, defineEvent, definePlugin, Events, Http, type Plugin } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import type { EndedCredentials } from '../../dist/credential-cache.js'
import { directory, SignIn } from '../../dist/index.js'
import { startPanel } from '../support/panel.js'

const email = 'admin@localhost'
const password = 'correct horse battery'

/** A second factor that `enabled` users have, whose code is `123456`, and a route for what is delicate. */
function secondFactor(enabled: ReadonlySet<string>): Plugin {
  const plugin = definePlugin({
    name: 'test.second-factor',
    version: '1.0.0',
    requires: { signIn: SignIn, http: Http },
    setup({ services: { signIn, http }, scope }) {
      scope.defer(
        signIn.addSecondFactor({
          name: 'test',
          isEnabled: async (id) => enabled.has(id),
          challenge: async () => ({ tempToken: 'temporary', methods: ['totp'] }),
        }),
      )
      scope.defer(
        signIn.addProof({ field: 'token', verify: async (_user, value) => (value === '123456' ? 'totp' : undefined) }),
      )
      http.route({
        method: 'POST',
        url: '/api/test/delicate',
        access: 'authenticated',
        summary: 'Does something delicate',
        tag: 'Test',
        async handler({ principal }) {
          await signIn.assertFresh(principal)
          return { success: true }
        },
      })
    },
  })
  return plugin()
}

t.test('proving again who one is', async (t) => {
  const enabled = new Set<string>()
  const { kernel, call, audited } = await startPanel(t, {
    users: directory({ firstAdministrator: { email, password } }),
    strategies: [secondFactor(enabled)],
  })
  const rows = (sql: string): Promise<Record<string, unknown>[]> =>
    kernel.get(Database).sequelize.query(sql, { type: QueryTypes.SELECT })
  const begin = async (): Promise<{ token: string; id: string; userId: string }> => {
    enabled.clear()
    const { body } = await call('POST', '/api/auth/login', { body: { email, password } })
    const { id } = (await call('GET', '/api/auth/session', { token: body.token })).body.session
    return { token: body.token, id, userId: body.user.id }
  }
  const age = async (id: string, minutes: number): Promise<void> => {
    await rows(`UPDATE auth_sessions SET authenticated_at = now() - interval '${minutes} minutes' WHERE id = '${id}'`)
    await kernel.get(Events).emit(defineEvent<EndedCredentials>('auth.sessions.ended'), { ids: [id] })
  }
  const reauthenticate = (token: string, body: unknown) => call('POST', '/api/auth/reauthenticate', { token, body })
  const delicate = async (token: string): Promise<number> =>
    (await call('POST', '/api/test/delicate', { token })).status
  const methodsOf = async (token: string): Promise<readonly string[]> =>
    (await call('GET', '/api/auth/session', { token })).body.session.methods

  t.test('a session is fresh for 10 minutes, and again after the password', async (t) => {
    const { token, id } = await begin()
    t.equal(await delicate(token), 200)
    await age(id, 9)
    t.equal(await delicate(token), 200)
    await age(id, 11)
    const refused = await call('POST', '/api/test/delicate', { token })
    t.equal(refused.status, 403)
    t.equal(refused.body.error, 'reauthentication_required')
    const proved = await reauthenticate(token, { password })
    t.equal(proved.status, 200)
    t.same(proved.body, { success: true })
    t.equal(await delicate(token), 200, 'at once, though the session was known')
    t.same(await methodsOf(token), ['password'])
  })

  t.test('what is wrong leaves it as it was', async (t) => {
    const { token, id } = await begin()
    await age(id, 11)
    for (const body of [{ password: 'not it' }, { token: '000000' }]) {
      const { status, body: answer } = await reauthenticate(token, body)
      t.equal(status, 401)
      t.equal(answer.error, 'invalid_credentials')
    }
    t.equal(await delicate(token), 403)
    t.equal((await call('POST', '/api/auth/reauthenticate', { body: { password } })).status, 401, 'no session')
  })

  t.test('takes one proof, of a kind that is in use', async (t) => {
    const { token } = await begin()
    const unused = await reauthenticate(token, { response: {} })
    t.equal(unused.status, 400)
    t.equal(unused.body.errors[0].path, '/response')
    const bodies = [{}, { password, token: '123456' }, { password, other: 1 }, [], null, 'x', { password: ['x'] }]
    for (const body of [...bodies, { token: 1 }, { response: 'x' }, { response: [] }, { password: '' }]) {
      t.equal((await reauthenticate(token, JSON.stringify(body))).status, 400, JSON.stringify(body))
    }
  })

  t.test('a password is not enough for somebody with a second factor', async (t) => {
    const { token, id, userId } = await begin()
    enabled.add(userId)
    t.equal(await delicate(token), 403, 'a fresh session begun by a password alone')
    const weak = await reauthenticate(token, { password })
    t.equal(weak.status, 403)
    t.equal(weak.body.error, 'second_factor_required')
    t.equal(await delicate(token), 403)
    t.equal((await reauthenticate(token, { token: '123456' })).status, 200)
    t.same(await methodsOf(token), ['password', 'totp'])
    t.equal(await delicate(token), 200)
    await age(id, 11)
    t.equal(await delicate(token), 403, 'not for ever')
    t.equal((await reauthenticate(token, { password })).status, 200, 'in a session that the second factor was shown in')
    t.equal(await delicate(token), 200)
  })

  t.test('a password alone begins no session then', async (t) => {
    const { userId } = await begin()
    enabled.add(userId)
    const { status, body, cookies } = await call('POST', '/api/auth/login', { body: { email, password } })
    t.equal(status, 200)
    t.same(body, { twoFactorRequired: true, tempToken: 'temporary', methods: ['totp'] })
    t.same(cookies, [])
    t.equal((await call('GET', '/api/auth/session', { token: body.tempToken })).status, 401)
  })

  t.test('wrong passwords are counted with those of signing in', async (t) => {
    const { token } = await begin()
    for (let round = 0; round < 10; round += 1) await reauthenticate(token, { password: 'not it' })
    const throttled = await reauthenticate(token, { password })
    t.equal(throttled.status, 429)
    t.ok(Number(throttled.headers['retry-after']) > 0)
    t.equal((await call('POST', '/api/auth/login', { body: { email, password } })).status, 429)
  })

  t.test('is audited', async (t) => {
    const methods = audited
      .filter(({ action }) => action === 'session.reauthenticated')
      .map(({ data }) => data?.['method'])
    t.ok(methods.includes('password') && methods.includes('totp'))
    t.ok(audited.some(({ action }) => action === 'session.reauthentication-refused'))
    t.notOk(JSON.stringify(audited).includes(password))
  })
})
