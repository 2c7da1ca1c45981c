// The second factor: nothing before it, nothing around it, nothing that takes it away.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { linkToken, type MailSink, mailedCode, mailSink, resetLink } from '../../support/mail-sink.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { softwarePasskey } from '../../support/software-passkey.js'
import { previousTotp, totp, untilNextStep, wrongTotp } from '../../support/totp.js'

let mail: MailSink
let panel: SignInPanel

t.before(async () => {
  mail = await mailSink(t)
  panel = await startSignInPanel(t, { SMTP_URL: mail.url })
})

const post = (path: string, carried: Carried): Promise<Reply> =>
  panel.send('POST', path, { ip: panel.newIp(), ...carried })
const verifyLogin = (body: object): Promise<Reply> => post('/api/auth/2fa/verify-login', { body })

t.test('no session before the second factor', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const reply = await panel.login(person.email, person.password)
  t.match(reply, { status: 200, cookies: [], body: { twoFactorRequired: true, tempToken: String } })
  t.same(Object.keys(reply.body).sort(), ['methods', 'tempToken', 'twoFactorRequired'])
  const { tempToken } = reply.body
  for (const carried of [{ bearer: tempToken }, { cookie: tempToken }, { apiKey: tempToken }, { xApiKey: tempToken }]) {
    for (const path of ['/api/auth/session', '/api/auth/2fa/setup', '/api/auth/sessions']) {
      t.equal((await panel.send('GET', path, carried)).status, 401, `${path} with the temporary token`)
    }
  }
  const { body } = await panel.ok('GET', '/api/auth/sessions', { bearer: person.token })
  t.equal(body.sessions.length, 1, 'no session was begun')
  t.equal((await verifyLogin({ tempToken, token: totp(person.secret) })).status, 200, 'the second factor begins it')
})

t.test('a TOTP code is good once, for whatever', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const used = totp(person.secret)
  const tempToken = await panel.tempToken(person)
  t.equal((await verifyLogin({ tempToken, token: used })).status, 200)
  t.equal((await verifyLogin({ tempToken: await panel.tempToken(person), token: used })).status, 401, 'to sign in')
  const carried = { bearer: person.token, body: { token: used } }
  for (const path of ['reauthenticate', '2fa/disable', '2fa/recovery-codes']) {
    t.equal((await post(`/api/auth/${path}`, carried)).status, 401, path)
  }
})

t.test('a code of an earlier step is none once a later one was used', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const [now, next] = [totp(person.secret), totp(person.secret, 1)]
  t.equal(
    (await verifyLogin({ tempToken: await panel.tempToken(person), token: next })).status,
    200,
    'of the step ahead',
  )
  t.equal((await verifyLogin({ tempToken: await panel.tempToken(person), token: now })).status, 401)
})

t.test('codes of two steps ahead or behind are wrong', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const tempToken = await panel.tempToken(person)
  // Else the step could change between the code and the answer.
  if (untilNextStep() < 5_000) await delay(untilNextStep() + 100)
  for (const step of [-2, 2, 10]) {
    t.equal((await verifyLogin({ tempToken, token: totp(person.secret, step) })).status, 401, `${step}`)
  }
})

t.test('a code must be one, and only one', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const tempToken = await panel.tempToken(person)
  const token = totp(person.secret)
  const [backupCode] = person.recoveryCodes
  for (const body of [
    {},
    { token: '' },
    { token: Number(token) },
    { token: [token] },
    { token: null },
    { token: ` ${token}` },
    { token: `${token}\n` },
    { token: [...token].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('') },
    { token: [...token].map((digit) => String.fromCodePoint(0x0660 + Number(digit))).join('') },
    { token: { $ne: null } },
    { backupCode: [backupCode] },
    { backupCode: '' },
    { backupCode: '%' },
    { token: wrongTotp(person.secret), backupCode },
    { token, emailCode: '000000' },
    { tempToken: [tempToken], token },
    { tempToken: { $ne: null }, token },
  ]) {
    const { status } = await verifyLogin({ tempToken, ...body })
    t.match(status, /^40[01]$/, JSON.stringify(body))
  }
  t.equal((await verifyLogin({ tempToken, token })).status, 200, 'and the temporary token is as it was')
})

t.test('another’s temporary token, code and recovery code', async (t) => {
  const [victim, attacker] = [await panel.newTwoFactorPerson(), await panel.newTwoFactorPerson()]
  const tempToken = await panel.tempToken(victim)
  t.equal((await verifyLogin({ tempToken, token: totp(attacker.secret) })).status, 401, 'the attacker’s code')
  t.equal((await verifyLogin({ tempToken, backupCode: attacker.recoveryCodes[0] })).status, 401, 'their recovery code')
  await post('/api/auth/2fa/send-email', { body: { tempToken: await panel.tempToken(attacker) } })
  const emailCode = mailedCode(await mail.take(attacker.email, /\d{6}/))
  t.equal((await verifyLogin({ tempToken, emailCode })).status, 401, 'their code by mail')
  for (const more of [{ userId: attacker.id }, { email: attacker.email }, { user: { id: attacker.id } }]) {
    const { status } = await verifyLogin({ tempToken, token: totp(attacker.secret), ...more })
    t.match(status, /^40[01]$/, JSON.stringify(more))
  }
})

t.test('five wrong codes by mail end it', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const tempToken = await panel.tempToken(person)
  await post('/api/auth/2fa/send-email', { body: { tempToken } })
  const emailCode = mailedCode(await mail.take(person.email, /\d{6}/))
  const guess = emailCode === '000000' ? '111111' : '000000'
  for (let index = 0; index < 5; index++) await verifyLogin({ tempToken, emailCode: guess })
  t.match((await verifyLogin({ tempToken, emailCode })).status, /^4(01|29)$/)
})

t.test('a session of low assurance cannot take the second factor away', async (t) => {
  // Begun with the password alone, by whoever knew it, before the owner turned the second factor on.
  const owner = await panel.newPerson()
  const stolen = await panel.newSession(owner)
  const { body: setup } = await panel.ok('GET', '/api/auth/2fa/setup', { bearer: owner.token })
  const { body: on } = await panel.ok('POST', '/api/auth/2fa/verify', {
    bearer: owner.token,
    body: { token: await previousTotp(setup.secret) },
  })
  const wrong = wrongTotp(setup.secret)
  const attempts: [method: string, path: string, body?: object][] = [
    ['POST', '/api/auth/2fa/disable', { token: wrong }],
    ['POST', '/api/auth/2fa/recovery-codes', { token: wrong }],
    ['GET', '/api/auth/2fa/setup'],
    ['GET', '/api/auth/passkey/register-challenge'],
    ['POST', '/api/auth/passkey/register-challenge', {}],
    ['POST', '/api/apikeys', { name: 'way in', type: 'client', permissions: [] }],
    ['DELETE', `/api/users/${owner.id}/2fa`],
  ]
  for (const [method, path, body] of attempts) {
    const { status } = await panel.send(method, path, { ip: panel.newIp(), bearer: stolen, body })
    t.match(status, /^40[13]$/, `${method} ${path}: ${status}`)
  }
  await post('/api/auth/reauthenticate', { bearer: stolen, body: { password: owner.password } })
  for (const [method, path, body] of attempts.slice(2)) {
    const { status } = await panel.send(method, path, { ip: panel.newIp(), bearer: stolen, body })
    t.match(status, /^40[13]$/, `${method} ${path} after the password again: ${status}`)
  }
  const tempToken = await panel.tempToken(owner)
  t.equal(
    (await verifyLogin({ tempToken, backupCode: on.recoveryCodes[0] })).status,
    200,
    'it is on, and the codes hold',
  )
})

t.test('a new set-up neither shows nor replaces the secret in force', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const reply = await panel.send('GET', '/api/auth/2fa/setup', { bearer: person.token })
  t.notMatch(reply.text, person.secret)
  if (reply.status === 200) {
    const tempToken = await panel.tempToken(person)
    t.equal(
      (await verifyLogin({ tempToken, token: totp(reply.body.secret) })).status,
      401,
      'the new one is not in force',
    )
  }
  t.equal((await verifyLogin({ tempToken: await panel.tempToken(person), token: totp(person.secret) })).status, 200)
})

t.test('the secret is the server’s, and bound to the caller', async (t) => {
  const [person, other] = [await panel.newPerson(), await panel.newPerson()]
  const chosen = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  const { body: setup } = await panel.ok('GET', `/api/auth/2fa/setup`, { bearer: person.token })
  t.equal(setup.secret.replace(/=+$/, '').length, 32, '160 bits')
  t.match(setup.otpauth_url, new RegExp(`^otpauth://totp/.*secret=${setup.secret}`))
  for (const body of [
    { token: totp(chosen), secret: chosen },
    { token: totp(setup.secret), userId: other.id },
  ]) {
    t.equal((await post('/api/auth/2fa/verify', { bearer: person.token, body })).status, 400, JSON.stringify(body))
  }
  const asOther = await post('/api/auth/2fa/verify', { bearer: other.token, body: { token: totp(setup.secret) } })
  t.match(asOther.status, /^4(00|01|04|09)$/, 'another’s set-up')
  const login = await panel.login(other.email, other.password)
  t.ok(login.body.token, 'the other has none')
})

t.test('a password reset leaves the second factor on', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const before = await panel.tempToken(person)
  await post('/api/auth/password-reset/request', { body: { email: person.email } })
  const token = linkToken(await mail.take(person.email, resetLink))
  const password = 'chosen by whoever reads the mail'
  const reply = await post('/api/auth/password-reset/confirm', { body: { token, password } })
  t.equal(reply.status, 200)
  t.same(reply.cookies, [], 'it signs nobody in')
  t.notMatch(reply.text, /token/)
  t.match((await panel.login(person.email, password)).body, { twoFactorRequired: true })
  const old = await verifyLogin({ tempToken: before, token: totp(person.secret) })
  t.equal(old.status, 401, 'a temporary token of the old password')
})

t.test('a temporary token is dead after suspension', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const tempToken = await panel.tempToken(person)
  await panel.ok('PATCH', `/api/users/${person.id}`, { bearer: panel.admin.token, body: { suspended: true } })
  t.equal((await verifyLogin({ tempToken, token: totp(person.secret) })).status, 401)
  await panel.ok('PATCH', `/api/users/${person.id}`, { bearer: panel.admin.token, body: { suspended: false } })
  t.equal((await verifyLogin({ tempToken, token: totp(person.secret) })).status, 401, 'for good')
})

t.test('no API key, of whatever kind, starts a set-up or manages a second factor', async (t) => {
  const person = await panel.newPerson(['users:write', 'apikeys:read'])
  const client = await panel.newKey(person, { permissions: ['users:write'] })
  const admin = await panel.newKey(panel.admin, { type: 'admin', permissions: undefined })
  const passkey = softwarePasskey(panel.origin)
  const response = passkey.create({ challenge: 'AAAA', user: { id: 'AAAA' } })
  for (const [kind, { key }] of Object.entries({ client, admin })) {
    for (const carried of [{ apiKey: key }, { xApiKey: key }]) {
      for (const [method, path, body] of [
        ['GET', '/api/auth/2fa/setup'],
        ['POST', '/api/auth/2fa/verify', { token: '123456' }],
        ['POST', '/api/auth/2fa/disable', { token: '123456' }],
        ['POST', '/api/auth/2fa/recovery-codes', { token: '123456' }],
        ['GET', '/api/auth/passkey/register-challenge'],
        ['POST', '/api/auth/passkey/register-challenge', {}],
        ['POST', '/api/auth/passkey/register', { response }],
        ['DELETE', '/api/auth/passkeys/00000000-0000-4000-8000-000000000000'],
        ['POST', '/api/auth/password', { currentPassword: person.password, newPassword: 'another password' }],
        ['POST', '/api/auth/reauthenticate', { password: person.password }],
        ['DELETE', '/api/auth/sessions'],
      ] as const) {
        t.equal((await panel.send(method, path, { ...carried, body })).status, 403, `${kind} key: ${method} ${path}`)
      }
    }
  }
})
