import t from 'tap'
import type { Answer } from '../support/client.js'
import { until } from '../support/until.js'
import { createApp, enrol, login, sql, startTwoFactorPanel, userMaker, verifyLogin } from './support.js'

t.test('turning two-factor sign-in on', async (t) => {
  const panel = await startTwoFactorPanel(t)
  const { call, audited } = panel
  const makeUser = userMaker(panel)
  const signIn = async () => {
    const user = await makeUser()
    return { ...user, token: (await login(call, user)).body.token as string }
  }
  const setup = (token: string) => call('GET', '/api/auth/2fa/setup', { token })
  const verify = (token: string, code: unknown) =>
    call('POST', '/api/auth/2fa/verify', { token, body: { token: code } })
  const status = async (token: string) => (await call('GET', '/api/auth/2fa', { token })).body

  await t.test('shows a secret and is on once a code proves it', async (t) => {
    const user = await signIn()
    t.same(await status(user.token), { enabled: false, methods: [], recoveryCodesLeft: 0 })
    const { status: code, body, headers } = await setup(user.token)
    t.equal(code, 200)
    t.same(Object.keys(body).sort(), ['otpauth_url', 'secret'])
    t.match(body.secret, /^[A-Z2-7]{32}$/)
    t.equal(new URL(body.otpauth_url).searchParams.get('secret'), body.secret)
    t.match(headers['cache-control'], /no-store/)
    t.equal((await status(user.token)).enabled, false, 'not before it is proved')
    t.ok((await login(call, user)).body.token, 'nor is it asked for')

    const verified = await verify(user.token, await createApp(body.secret).next())
    t.equal(verified.status, 200)
    t.same(Object.keys(verified.body), ['recoveryCodes'])
    t.equal(verified.body.recoveryCodes.length, 10)
    t.same(await status(user.token), {
      enabled: true,
      methods: ['totp', 'email', 'recovery-code'],
      recoveryCodesLeft: 10,
    })
    const actions = audited.filter(({ target }) => target?.id === user.id).map(({ action }) => action)
    t.ok(actions.includes('two-factor.setup-started') && actions.includes('two-factor.enabled'))
    t.notOk(JSON.stringify(audited).includes(body.secret), 'the secret is not in the audit log')
  })

  await t.test('a wrong code does not turn it on, and the right one does so once', async (t) => {
    const user = await signIn()
    const app = createApp((await setup(user.token)).body.secret)
    const wrong = await verify(user.token, app.wrong())
    t.equal(wrong.status, 401)
    t.equal(wrong.body.error, 'invalid_code')
    const code = await app.next()
    t.equal((await verify(user.token, code)).status, 200)
    const again = await verify(user.token, code)
    t.equal(again.status, 409)
    t.equal(again.body.error, 'two_factor_setup_missing')
    t.equal((await verify(user.token, await app.next())).status, 409, 'a further code neither')
  })

  await t.test('another set-up takes the place of the first', async (t) => {
    const user = await signIn()
    const first = createApp((await setup(user.token)).body.secret)
    const second = createApp((await setup(user.token)).body.secret)
    t.not(first.secret, second.secret)
    t.equal((await verify(user.token, await first.next())).status, 401)
    t.equal((await verify(user.token, await second.next())).status, 200)
  })

  await t.test('a set-up is bound to who began it, and ends by itself', async (t) => {
    const [ada, eve] = [await signIn(), await signIn()]
    const app = createApp((await setup(ada.token)).body.secret)
    t.equal((await verify(eve.token, await app.next())).status, 409, 'there is none of theirs')
    await sql(panel, `UPDATE auth_two_factor_setups SET user_id = '${eve.id}' WHERE user_id = '${ada.id}' RETURNING id`)
    t.equal((await verify(eve.token, await app.next())).status, 409, 'nor by moving it in the database')
    const mine = createApp((await setup(ada.token)).body.secret)
    await sql(panel, `UPDATE auth_two_factor_setups SET expires_at = now() WHERE user_id = '${ada.id}' RETURNING id`)
    t.equal((await verify(ada.token, await mine.next())).status, 409)
  })

  await t.test('neither shows nor replaces the secret in force until the new one is proved', async (t) => {
    const user = await enrol(call, await makeUser())
    const next = createApp((await setup(user.token)).body.secret)
    t.not(next.secret, user.app.secret)
    const { tempToken } = (await login(call, user)).body
    t.equal((await verifyLogin(call, { tempToken, token: await next.next() })).status, 401)
    t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200)

    const moved = await verify(user.token, await next.next())
    t.equal(moved.status, 200)
    t.same(
      moved.body.recoveryCodes.filter((code: string) => user.recoveryCodes.includes(code)),
      [],
      'with recovery codes of its own',
    )
    const again = (await login(call, user)).body
    t.equal((await verifyLogin(call, { tempToken: again.tempToken, token: await user.app.next() })).status, 401)
    const backupCode = user.recoveryCodes[0]
    t.equal((await verifyLogin(call, { tempToken: again.tempToken, backupCode })).status, 401)
    t.equal((await verifyLogin(call, { tempToken: again.tempToken, token: await next.next() })).status, 200)
  })

  await t.test('needs a fresh sign-in, with the second factor once it is on', async (t) => {
    const stale = async (token: string): Promise<string> => {
      const { body } = await call('GET', '/api/auth/session', { token })
      await sql(
        panel,
        `UPDATE auth_sessions SET authenticated_at = now() - interval '11 minutes'
         WHERE id = '${body.session.id}' RETURNING id`,
      )
      return token
    }
    const user = await makeUser()
    const plain = (await login(call, user)).body.token
    const old = (await login(call, user)).body.token
    const { secret } = (await setup(old)).body
    await stale(old)
    // What was read of the session a moment ago is known for a moment.
    const refused = await untilRefused(() => setup(old))
    t.equal(refused.body.error, 'reauthentication_required')
    t.equal((await verify(old, await createApp(secret).next())).status, 403)

    const { app } = await enrol(call, user)
    const weak = await setup(plain)
    t.equal(weak.status, 403, 'a session begun by the password alone')
    t.equal(weak.body.error, 'reauthentication_required')
    const body = { token: await app.next() }
    t.equal((await call('POST', '/api/auth/reauthenticate', { token: plain, body })).status, 200)
    t.equal((await setup(plain)).status, 200)
    t.equal((await call('POST', '/api/auth/reauthenticate', { token: plain, body })).status, 401, 'a code once')
  })
  await t.test('a link on another site does not begin one', async (t) => {
    const { token } = await signIn()
    const headers = { 'sec-fetch-site': 'cross-site' }
    const byCookie = await call('GET', '/api/auth/2fa/setup', { cookie: token, headers })
    t.equal(byCookie.status, 403)
    t.equal(byCookie.body.error, 'cross_site_request')
    t.equal(
      (await call('GET', '/api/auth/2fa/setup', { token, headers })).status,
      200,
      'no link carries a Bearer token',
    )
    t.equal((await call('GET', '/api/auth/2fa/setup', { cookie: token })).status, 200)
  })

  await t.test('needs a session at all', async (t) => {
    for (const [method, path] of [
      ['GET', '/api/auth/2fa'],
      ['GET', '/api/auth/2fa/setup'],
      ['POST', '/api/auth/2fa/verify'],
      ['POST', '/api/auth/2fa/disable'],
      ['POST', '/api/auth/2fa/recovery-codes'],
      ['DELETE', '/api/users/1/2fa'],
    ] as const) {
      t.equal((await call(method, path)).status, 401, path)
    }
  })

  async function untilRefused(ask: () => Promise<Answer>): Promise<Answer> {
    const found: Answer[] = []
    await until('a refusal', async () => found.push(await ask()) && found.at(-1)?.status === 403)
    return found.at(-1) as Answer
  }
})
