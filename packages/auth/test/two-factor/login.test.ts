import t from 'tap'
import { twoFactor } from '../../dist/index.js'
import { createMailbox } from '../support/mailbox.js'
import {
  admin,
  type Credentials,
  createApp,
  enrol,
  generous,
  login,
  sql,
  startTwoFactorPanel,
  tempTokenOf,
  userMaker,
  verifyLogin,
} from './support.js'

t.test('signing in with a second factor', async (t) => {
  const mailbox = createMailbox()
  const panel = await startTwoFactorPanel(t, { mailer: mailbox.plugin })
  const { call, audited, origin } = panel
  const makeUser = userMaker(panel)
  const sendEmail = (tempToken: unknown) => call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
  const codeFor = async ({ email }: Credentials): Promise<string> =>
    /\b\d{6}\b/.exec((await mailbox.take(email)).text)?.[0] ?? ''

  await t.test('the password alone gives neither session nor cookie', async (t) => {
    const user = await enrol(call, await makeUser())
    const { status, body, cookies } = await login(call, user)
    t.equal(status, 200)
    t.same(Object.keys(body).sort(), ['methods', 'tempToken', 'twoFactorRequired'])
    t.equal(body.twoFactorRequired, true)
    t.same(body.methods, ['totp', 'email', 'recovery-code'])
    t.same(cookies, [])
    for (const credential of [{ token: body.tempToken }, { cookie: body.tempToken }]) {
      t.equal((await call('GET', '/api/auth/session', credential)).status, 401, 'a tempToken is no credential')
    }
  })

  await t.test('by each of the three', async (t) => {
    const user = await enrol(call, await makeUser())
    const given: Record<string, (tempToken: string) => Promise<object>> = {
      totp: async () => ({ token: await user.app.next() }),
      email: async (tempToken) => {
        t.same((await sendEmail(tempToken)).body, { success: true })
        return { emailCode: await codeFor(user) }
      },
      'recovery-code': async () => ({ backupCode: user.recoveryCodes[3]?.toLowerCase().replaceAll('-', '') }),
    }
    for (const [method, give] of Object.entries(given)) {
      const tempToken = await tempTokenOf(call, user)
      const code = await give(tempToken)
      const { status, body, cookies } = await verifyLogin(call, { tempToken, ...code })
      t.equal(status, 200, method)
      t.same(Object.keys(body).sort(), ['token', 'user'])
      t.equal(body.user.id, user.id)
      t.match(cookies[0], `session=${body.token};`)
      const session = await call('GET', '/api/auth/session', { token: body.token })
      t.same(session.body.session.methods, ['password', method])
      t.equal((await verifyLogin(call, { tempToken, ...code })).body.error, 'invalid_temp_token', 'a tempToken once')
      const next = await tempTokenOf(call, user)
      t.equal((await verifyLogin(call, { tempToken: next, ...code })).body.error, 'invalid_code', `${method} once`)
    }
    const left = await call('GET', '/api/auth/2fa', { token: user.token })
    t.equal(left.body.recoveryCodesLeft, 9)
  })

  await t.test('the code that turned it on does not sign in', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    t.equal((await verifyLogin(call, { tempToken, token: user.first })).status, 401)
    t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200)
  })

  await t.test('a code ends those of the steps before it', async (t) => {
    const user = await enrol(call, await makeUser())
    const [earlier, later] = [await user.app.next(), await user.app.next()]
    const tempToken = await tempTokenOf(call, user)
    t.equal((await verifyLogin(call, { tempToken: await tempTokenOf(call, user), token: later })).status, 200)
    t.equal((await verifyLogin(call, { tempToken, token: earlier })).status, 401)
  })

  await t.test('a wrong code leaves the tempToken as it is', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    await sendEmail(tempToken)
    const emailCode = await codeFor(user)
    const otherCode = emailCode === '000000' ? '000001' : '000000'
    const wrong: Record<string, unknown>[] = [
      { token: user.app.wrong() },
      { emailCode: otherCode },
      { backupCode: '0000-0000-0000-0000' },
      { backupCode: 'what they have written on the wall' },
    ]
    for (const code of wrong) {
      const { status, body, headers, cookies } = await verifyLogin(call, { tempToken, ...code })
      t.equal(status, 401, JSON.stringify(code))
      t.equal(body.error, 'invalid_code')
      t.ok(headers['www-authenticate'])
      t.same(cookies, [])
    }
    const refusals = audited.filter(({ action, data }) => action === 'session.refused' && data?.['userId'] === user.id)
    t.equal(refusals.length, wrong.length)
    t.equal((await verifyLogin(call, { tempToken, emailCode })).status, 200)
  })

  await t.test('codes of another do not help', async (t) => {
    const [ada, eve] = [await enrol(call, await makeUser()), await enrol(call, await makeUser())]
    const tempToken = await tempTokenOf(call, ada)
    const ofEve = await tempTokenOf(call, eve)
    await sendEmail(tempToken)
    await sendEmail(ofEve)
    const foreign = [
      { token: await eve.app.next() },
      { emailCode: await codeFor(eve) },
      { backupCode: eve.recoveryCodes[0] },
    ]
    for (const code of foreign) t.equal((await verifyLogin(call, { tempToken, ...code })).status, 401)
    t.equal((await verifyLogin(call, { tempToken, emailCode: await codeFor(ada) })).status, 200)
  })

  await t.test('mail: five tries, the newest code, five minutes', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    await sendEmail(tempToken)
    const first = await codeFor(user)
    const wrong = [...'0123456789'].map((digit) => digit.repeat(6)).filter((code) => code !== first)
    for (const emailCode of wrong.slice(0, 5)) {
      t.equal((await verifyLogin(call, { tempToken, emailCode })).status, 401)
    }
    t.equal((await verifyLogin(call, { tempToken, emailCode: first })).status, 401, 'a sixth, the right one')

    await sendEmail(tempToken)
    const second = await codeFor(user)
    if (second !== first) t.equal((await verifyLogin(call, { tempToken, emailCode: first })).status, 401)
    await sendEmail(tempToken)
    const third = await codeFor(user)
    if (third !== second) t.equal((await verifyLogin(call, { tempToken, emailCode: second })).status, 401, 'ended')
    await sql(
      panel,
      `UPDATE auth_two_factor_email_codes SET expires_at = now() WHERE user_id = '${user.id}' RETURNING mac`,
    )
    t.equal((await verifyLogin(call, { tempToken, emailCode: third })).status, 401, 'expired')
    const tooMany = await sendEmail(tempToken)
    t.equal(tooMany.status, 429)
    t.equal(tooMany.body.error, 'too_many_codes')
    t.ok(Number(tooMany.headers['retry-after']) > 0)
    t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200, 'the app still serves')
  })

  await t.test('mail: ten to one account in an hour', async (t) => {
    const user = await enrol(call, await makeUser())
    const statuses: number[] = []
    for (let round = 0; round < 4; round += 1) {
      const tempToken = await tempTokenOf(call, user)
      for (let sent = 0; sent < 3; sent += 1) statuses.push((await sendEmail(tempToken)).status)
    }
    t.same(statuses, [...Array(10).fill(200), 429, 429])
  })

  await t.test('a tempToken that is none, has expired or was spoilt', async (t) => {
    const user = await enrol(call, await makeUser())
    const expired = await tempTokenOf(call, user)
    await sql(panel, `UPDATE auth_one_time_tokens SET expires_at = now() WHERE subject = '${user.id}' RETURNING id`)
    const good = await tempTokenOf(call, user)
    const [row] = await sql(
      panel,
      `SELECT id FROM auth_one_time_tokens WHERE subject = '${user.id}' ORDER BY expires_at DESC`,
    )
    const none = [
      expired,
      good.slice(1),
      `${good}x`,
      `${good.startsWith('x') ? 'y' : 'x'}${good.slice(1)}`,
      String(row?.['id']),
      user.token,
      user.id,
      "'",
    ]
    for (const tempToken of none) {
      const answer = await verifyLogin(call, { tempToken, token: user.app.wrong() })
      t.equal(answer.status, 401, tempToken)
      t.equal(answer.body.error, 'invalid_temp_token')
      t.equal((await sendEmail(tempToken)).status, 401)
    }
    t.equal((await verifyLogin(call, { tempToken: good, token: await user.app.next() })).status, 200)
  })

  await t.test('ends with a new password, a suspension and a deletion', async (t) => {
    const { token } = (await login(call, admin)).body
    const endings: Record<string, (id: string) => Promise<{ status: number }>> = {
      password: (id) => call('PATCH', `/api/users/${id}`, { token, body: { password: 'quite another one' } }),
      suspension: (id) => call('PATCH', `/api/users/${id}`, { token, body: { suspended: true } }),
      deletion: (id) => call('DELETE', `/api/users/${id}`, { token }),
    }
    for (const [name, end] of Object.entries(endings)) {
      const user = await enrol(call, await makeUser())
      const tempToken = await tempTokenOf(call, user)
      t.equal((await end(user.id)).status, 200, name)
      const answer = await verifyLogin(call, { tempToken, token: await user.app.next() })
      t.equal(answer.status, 401, name)
      t.equal(answer.body.error, 'invalid_temp_token')
      t.equal((await sendEmail(tempToken)).status, 401)
      t.same(await sql(panel, `SELECT id FROM auth_one_time_tokens WHERE subject = '${user.id}'`), [])
    }
  })

  await t.test("ends with the user's own new password", async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    const body = { currentPassword: user.password, newPassword: 'quite another one' }
    t.equal((await call('POST', '/api/auth/password', { token: user.token, body })).status, 200)
    t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 401)
  })

  await t.test("another site's page cannot sign its visitor in", async (t) => {
    const user = await enrol(call, await makeUser())
    const body = { tempToken: await tempTokenOf(call, user), token: await user.app.next() }
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const answer = await call('POST', '/api/auth/2fa/verify-login', { body, headers: headers as never })
      t.equal(answer.status, 403)
    }
    const same = await call('POST', '/api/auth/2fa/verify-login', { body, headers: { origin } })
    t.equal(same.status, 200)
  })

  await t.test('no code, tempToken or secret is in the audit log', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    const token = await user.app.next()
    await verifyLogin(call, { tempToken, token: user.app.wrong() })
    await verifyLogin(call, { tempToken, token })
    const text = JSON.stringify(audited)
    for (const secret of [tempToken, user.app.secret, ...user.recoveryCodes]) t.notOk(text.includes(secret))
  })
})

t.test('wrong codes are throttled, and then the right one too', async (t) => {
  const mailbox = createMailbox()
  const panel = await startTwoFactorPanel(t, { twoFactor: {}, mailer: mailbox.plugin })
  const { call } = panel
  const makeUser = userMaker(panel)

  await t.test('by account, over all sign-ins and ways', async (t) => {
    const user = await enrol(call, await makeUser())
    for (let n = 0; n < 5; n += 1) {
      const wrong = n % 2 ? { token: user.app.wrong() } : { backupCode: '0000-0000-0000-0000' }
      t.equal((await verifyLogin(call, { tempToken: await tempTokenOf(call, user), ...wrong })).status, 401)
    }
    const tempToken = await tempTokenOf(call, user)
    const right = await verifyLogin(call, { tempToken, token: await user.app.next() })
    t.equal(right.status, 429)
    t.equal(right.body.error, 'too_many_attempts')
    t.ok(Number(right.headers['retry-after']) > 0)
    t.equal((await verifyLogin(call, { tempToken, backupCode: user.recoveryCodes[0] })).status, 429)
    const body = { token: await user.app.next() }
    for (const path of ['disable', 'recovery-codes']) {
      t.equal((await call('POST', `/api/auth/2fa/${path}`, { token: user.token, body })).status, 429, path)
    }
    t.equal((await call('POST', '/api/auth/reauthenticate', { token: user.token, body })).status, 429)
    const other = await enrol(call, await makeUser())
    const theirs = { tempToken: await tempTokenOf(call, other), token: await other.app.next() }
    t.equal((await verifyLogin(call, theirs)).status, 200, 'nobody else is')
  })

  await t.test('by account, of a set-up too', async (t) => {
    const user = await makeUser()
    const { token } = (await login(call, user)).body
    const { secret } = (await call('GET', '/api/auth/2fa/setup', { token })).body
    const verify = (code: string) => call('POST', '/api/auth/2fa/verify', { token, body: { token: code } })
    const app = createApp(secret)
    for (let n = 0; n < 5; n += 1) t.equal((await verify(app.wrong())).status, 401)
    t.equal((await verify(await app.next())).status, 429)
  })
})

t.test('wrong codes are throttled by address, over all accounts', async (t) => {
  const attempts = { ...generous, perAddress: { points: 4, windowSeconds: 900 } }
  const panel = await startTwoFactorPanel(t, { twoFactor: { attempts } })
  const makeUser = userMaker(panel)
  const users = [await enrol(panel.call, await makeUser()), await enrol(panel.call, await makeUser())]
  for (const user of [...users, ...users]) {
    const tempToken = await tempTokenOf(panel.call, user)
    t.equal((await verifyLogin(panel.call, { tempToken, token: user.app.wrong() })).status, 401)
  }
  for (const user of users) {
    const body = { tempToken: await tempTokenOf(panel.call, user), token: await user.app.next() }
    t.equal((await verifyLogin(panel.call, body)).status, 429)
  }
})

t.test('without codes by mail', async (t) => {
  const { call } = await startTwoFactorPanel(t, { twoFactor: { email: false } })
  const user = await enrol(call, admin)
  const { body } = await login(call, user)
  t.same(body.methods, ['totp', 'recovery-code'])
  t.equal((await call('POST', '/api/auth/2fa/send-email', { body: { tempToken: body.tempToken } })).status, 404)
  const answer = await verifyLogin(call, { tempToken: body.tempToken, emailCode: '123456' })
  t.equal(answer.status, 400)
  t.equal(answer.body.errors[0].path, '/emailCode')
})

t.test('a name with a colon is none for authenticator apps', async (t) => {
  t.throws(() => twoFactor({ issuer: 'a:b' }), { code: 'CORE_ERR_CONFIG_INVALID' })
})
