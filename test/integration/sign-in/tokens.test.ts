// What is no valid credential, in whichever slot it comes, opens nothing; what was one and has ended is one no more.
import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import { flipBit, readJwt, signJwt, tokenKey, unsignedJwt } from '../../support/forged-token.js'
import { linkToken, type MailSink, mailSink, resetLink } from '../../support/mail-sink.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type Person, type SignInPanel, secretKey, startSignInPanel } from '../../support/sign-in-panel.js'

let mail: MailSink
let panel: SignInPanel
let person: Person

t.before(async () => {
  mail = await mailSink(t)
  panel = await startSignInPanel(t, { SMTP_URL: mail.url })
  person = await panel.newPerson()
})

const session = (carried: Carried): Promise<Reply> => panel.send('GET', '/api/auth/session', carried)
const everySlot = (value: string): [slot: string, carried: Carried][] => [
  ['Bearer', { bearer: value }],
  ['cookie', { cookie: value }],
  ['ApiKey', { apiKey: value }],
  ['X-Api-Key', { xApiKey: value }],
]

/** 401 with the schemes named, and no word about why. */
function isRefused(t: Test, reply: Reply, name: string): void {
  t.equal(reply.status, 401, name)
  t.match(reply.headers['www-authenticate'], /Bearer/, `${name}: WWW-Authenticate`)
  t.match(reply.headers['content-type'], /^application\/problem\+json/, `${name}: problem document`)
}

t.test('forged session tokens: algorithm, crit, kid, audience, issuer, expiry', async (t) => {
  const { header, payload } = readJwt(person.token)
  const key = tokenKey(secretKey, 'session')
  const now = Math.floor(Date.now() / 1000)
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const rs256 = unsignedJwt({ ...header, alg: 'RS256' }, payload)
  const rsSignature = sign('sha256', Buffer.from(rs256.slice(0, -1)), privateKey).toString('base64url')

  t.equal((await session({ bearer: signJwt(header, payload, key) })).status, 200, 'the forger knows how it is done')

  const { kid: _, ...withoutKid } = header
  const { exp: __, ...withoutExpiry } = payload
  const forged: Record<string, string> = {
    'alg none': unsignedJwt({ ...header, alg: 'none' }, payload),
    'alg None': unsignedJwt({ ...header, alg: 'None' }, payload),
    'alg none with the old signature': unsignedJwt(
      { ...header, alg: 'none' },
      payload,
      readJwt(person.token).signature,
    ),
    'alg none with the right MAC': signJwt({ ...header, alg: 'none' }, payload, key),
    'no signature': unsignedJwt(header, payload),
    'no alg': signJwt({ typ: 'JWT', kid: header['kid'] }, payload, key),
    'alg as array': signJwt({ ...header, alg: ['HS256'] }, payload, key),
    'alg in lower case': signJwt({ ...header, alg: 'hs256' }, payload, key),
    HS384: signJwt({ ...header, alg: 'HS384' }, payload, key, 'sha384'),
    HS512: signJwt({ ...header, alg: 'HS512' }, payload, key, 'sha512'),
    'HS512 of what says HS256': signJwt(header, payload, key, 'sha512'),
    'RS256 with a key of the forger': rs256 + rsSignature,
    'HS256 with a public key as secret': signJwt({ ...header, alg: 'HS256' }, payload, pem),
    'a key of its own in the header': signJwt({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, payload, 'own'),
    'a key at an address': signJwt(
      { ...header, jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1' },
      payload,
      'own',
    ),
    'an empty secret': signJwt(header, payload, ''),
    'the secret itself': signJwt(header, payload, secretKey),
    'the key of another purpose': signJwt(header, payload, tokenKey(secretKey, 'tunnel-device')),
    crit: signJwt({ ...header, crit: ['exp'] }, payload, key),
    'crit of an unknown extension': signJwt({ ...header, crit: ['b64'], b64: false }, payload, key),
    'crit that is no list': signJwt({ ...header, crit: null }, payload, key),
    'kid missing': signJwt(withoutKid, payload, key),
    'kid as array': signJwt({ ...header, kid: [header['kid']] }, payload, key),
    'kid as number': signJwt({ ...header, kid: 0 }, payload, key),
    'kid as object': signJwt({ ...header, kid: { toString: header['kid'] } }, payload, key),
    'kid as path': signJwt({ ...header, kid: '../../../dev/null' }, payload, ''),
    'kid as SQL': signJwt({ ...header, kid: `x' UNION SELECT 'key` }, payload, 'key'),
    'kid __proto__': signJwt(`{"alg":"HS256","typ":"JWT","kid":"__proto__"}`, payload, ''),
    'wrong aud': signJwt(header, { ...payload, aud: 'tunnel-device' }, key),
    'aud as list': signJwt(header, { ...payload, aud: [payload['aud'], 'other'] }, key),
    'no aud': signJwt(header, { ...payload, aud: undefined }, key),
    'wrong iss': signJwt(header, { ...payload, iss: 'another panel' }, key),
    'no iss': signJwt(header, { ...payload, iss: undefined }, key),
    expired: signJwt(header, { ...payload, exp: now - 1 }, key),
    'expiry as text': signJwt(header, { ...payload, exp: String(now + 1000) }, key),
    'not yet valid': signJwt(header, { ...payload, nbf: now + 1000 }, key),
    'another’s session': signJwt(header, { ...payload, sub: panel.admin.id }, key),
    'a session that never was': signJwt(header, { ...payload, jti: randomUUID() }, key),
    'jti as SQL': signJwt(header, { ...payload, jti: `' OR '1'='1` }, key),
    'jti as list': signJwt(header, { ...payload, jti: [payload['jti']] }, key),
    'sub as object': signJwt(header, { ...payload, sub: { $ne: null } }, key),
    'payload null': signJwt(header, 'null', key),
    'payload list': signJwt(header, '[]', key),
    'payload no JSON': signJwt(header, '{', key),
    'header null': signJwt('null', payload, key),
    'header number': signJwt('7', payload, key),
    'header no JSON': signJwt('{', payload, key),
    'four parts': `${person.token}.x`,
    'five parts (JWE)': `${person.token}.x.y`,
    'two parts': person.token.split('.').slice(0, 2).join('.'),
    'only dots': '..',
    'as JWS JSON': JSON.stringify({ payload: 'e30', signatures: [] }),
    'in upper case': person.token.toUpperCase(),
    'with a byte more': `${person.token}A`,
    'very long': `${person.token}${'A'.repeat(5_000)}`,
  }
  for (const [name, token] of Object.entries(forged)) {
    isRefused(t, await session({ bearer: token }), `${name}, Bearer`)
    isRefused(t, await session({ cookie: encodeURIComponent(token) }), `${name}, cookie`)
  }
  t.ok((await session({ bearer: signJwt(header, withoutExpiry, key) })).status < 500, 'without expiry')
  t.equal((await session({ bearer: person.token })).status, 200, 'the true one is as valid as before')
})

t.test('a flipped bit in any part', async (t) => {
  const accepted: string[] = []
  for (const part of [0, 1, 2] as const) {
    const bits = Buffer.from(person.token.split('.')[part] ?? '', 'base64url').length * 8
    for (let bit = 0; bit < bits; bit += part === 2 ? 1 : 5) {
      const { status } = await session({ bearer: flipBit(person.token, part, bit) })
      if (status !== 401) accepted.push(`part ${part}, bit ${bit}: ${status}`)
    }
  }
  t.same(accepted, [])
  t.equal((await session({ bearer: person.token })).status, 200)
})

t.test('a token of another purpose opens no slot', async (t) => {
  const factor = await panel.newTwoFactorPerson()
  const { body: challenge } = await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: {} })
  await panel.ok('POST', '/api/auth/password-reset/request', { body: { email: factor.email } })
  const { body: device } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'thing' } })
  const foreign: Record<string, string> = {
    tempToken: await panel.tempToken(factor),
    'reset token': linkToken(await mail.take(factor.email, resetLink)),
    'passkey challenge': challenge.challenge,
    'device code': device.deviceCode,
    'user code': device.userCode,
    'recovery code': factor.recoveryCodes[0] ?? '',
    'TOTP secret': factor.secret,
    password: encodeURIComponent(factor.password),
  }
  for (const [name, value] of Object.entries(foreign)) {
    for (const [slot, carried] of everySlot(value)) {
      const reply = await panel.send('GET', '/api/auth/session', carried)
      isRefused(t, reply, `${name} as ${slot}`)
    }
  }
  const { key } = await panel.newKey(factor)
  for (const slot of ['bearer', 'cookie'] as const) {
    isRefused(t, await panel.send('GET', '/api/auth/session', { [slot]: key }), `API key as ${slot}`)
  }
  for (const slot of ['apiKey', 'xApiKey'] as const) {
    const reply = await panel.send('GET', '/api/auth/session', { [slot]: factor.token })
    isRefused(t, reply, `session token as ${slot}`)
  }
})

t.test('a device token is a device’s and nobody’s session', async (t) => {
  const { body: started } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'thing' } })
  await panel.ok('POST', '/api/tunnel/device/approve', {
    bearer: panel.admin.token,
    body: { userCode: started.userCode, ownerId: person.id },
  })
  const { body } = await panel.ok('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  for (const [slot, carried] of everySlot(body.token).slice(1)) isRefused(t, await session(carried), slot)
  t.equal((await session({ bearer: body.token })).status, 403, 'valid, and nobody’s session')
  for (const [method, path] of [
    ['GET', '/api/auth/sessions'],
    ['DELETE', '/api/auth/sessions'],
    ['POST', '/api/auth/logout'],
    ['GET', '/api/auth/2fa/setup'],
    ['GET', '/api/auth/passkey/register-challenge'],
    ['GET', '/api/auth/passkeys'],
    ['GET', '/api/apikeys/my'],
    ['GET', '/api/users'],
    ['GET', '/api/settings'],
    ['GET', '/api/audit'],
  ] as const) {
    const { status } = await panel.send(method, path, { bearer: body.token })
    t.ok(status === 403 || status === 401, `${method} ${path}: ${status}`)
  }
})

t.test('a token is dead after logout, revocation, new password, reset, suspension and deletion', async (t) => {
  const { admin } = panel
  const status = async (bearer: string) => (await panel.send('GET', '/api/auth/session', { bearer })).status
  const patch = (id: string, body: object) => panel.ok('PATCH', `/api/users/${id}`, { bearer: admin.token, body })

  const one = await panel.newPerson()
  const second = await panel.newSession(one)
  await panel.ok('POST', '/api/auth/logout', { bearer: one.token })
  t.equal(await status(one.token), 401, 'after logout')
  t.equal((await panel.send('POST', '/api/auth/logout', { bearer: one.token })).status, 401, 'logout again')
  t.equal(await status(second), 200, 'another session goes on')

  const third = await panel.newSession(one)
  const { body: listed } = await panel.ok('GET', '/api/auth/sessions', { bearer: third })
  const other = listed.sessions.find(({ current }: { current: boolean }) => !current)
  await panel.ok('DELETE', `/api/auth/sessions/${other.id}`, { bearer: third })
  t.equal(await status(second), 401, 'after its revocation')

  const fourth = await panel.newSession(one)
  const newPassword = 'another password altogether'
  const body = { currentPassword: one.password, newPassword }
  await panel.ok('POST', '/api/auth/password', { bearer: fourth, body })
  t.equal(await status(third), 401, 'after a new password')
  t.equal(await status(fourth), 200, 'the session that changed it goes on')

  await panel.ok('POST', '/api/auth/password-reset/request', { body: { email: one.email } })
  const token = linkToken(await mail.take(one.email, resetLink))
  await panel.ok('POST', '/api/auth/password-reset/confirm', { body: { token, password: one.password } })
  t.equal(await status(fourth), 401, 'after a reset')
  t.equal((await panel.login(one.email, newPassword)).status, 401, 'the password before it')

  const fifth = await panel.newSession(one)
  const { key } = await panel.newKey({ ...one, token: fifth })
  await patch(one.id, { suspended: true })
  t.equal(await status(fifth), 401, 'after suspension')
  t.equal((await panel.send('GET', '/api/auth/session', { apiKey: key })).status, 401, 'the key of who is suspended')
  t.equal((await panel.login(one.email, one.password)).status, 401, 'nor in again')
  await patch(one.id, { suspended: false })
  t.equal(await status(fifth), 401, 'for good')
  t.equal((await panel.send('GET', '/api/auth/session', { apiKey: key })).status, 401, 'the key too')

  const sixth = await panel.newSession(one)
  const { key: last } = await panel.newKey({ ...one, token: sixth })
  await panel.ok('DELETE', `/api/users/${one.id}`, { bearer: admin.token })
  t.equal(await status(sixth), 401, 'after deletion')
  t.equal((await panel.send('GET', '/api/auth/session', { xApiKey: last })).status, 401, 'the key of who is deleted')
})

t.test('two principals in one request are a bad request, and a bad credential beside a good one refuses', async (t) => {
  const people = await Promise.all([panel.newPerson(), panel.newPerson(), panel.newPerson(), panel.newPerson()])
  const [a, b, c, d] = people as [Person, Person, Person, Person]
  const { key: ofC } = await panel.newKey(c)
  const { key: ofD } = await panel.newKey(d)
  const slots: [name: string, carried: Carried][] = [
    ['Bearer', { bearer: a.token }],
    ['cookie', { cookie: b.token }],
    ['ApiKey', { apiKey: ofC }],
    ['X-Api-Key', { xApiKey: ofD }],
  ]
  for (const [name, carried] of slots) t.equal((await session(carried)).status, 200, `${name} alone`)
  for (const [index, [name, carried]] of slots.entries()) {
    for (const [other, more] of slots.slice(index + 1)) {
      if (name === 'Bearer' && other === 'ApiKey') continue
      const reply = await session({ ...carried, ...more })
      t.match(reply, { status: 400, body: { error: String } }, `${name} and ${other}`)
    }
  }
  const twice = { authorization: [`Bearer ${a.token}`, `ApiKey ${ofC}`] }
  t.match((await session({ headers: twice })).status, /^40[01]$/, 'Bearer and ApiKey')

  const broken = flipBit(a.token, 2, 0)
  isRefused(t, await session({ bearer: a.token, cookie: broken }), 'good Bearer, bad cookie')
  isRefused(t, await session({ bearer: broken, cookie: a.token }), 'bad Bearer, good cookie')
  isRefused(t, await session({ bearer: a.token, xApiKey: `${ofC}x` }), 'good Bearer, bad key')
  isRefused(t, await session({ cookie: a.token, headers: { authorization: 'garbage' } }), 'garbage, good cookie')
})

t.test('a malformed, huge or repeated Authorization header is 401, never a fault', async (t) => {
  const { token } = person
  const malformed = [
    'Bearer',
    'Bearer ',
    `bearer:${token}`,
    token,
    `Basic ${Buffer.from('admin@localhost:x').toString('base64')}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer "${token}"`,
    `Bearer\t${token}`,
    'ApiKey',
    'ApiKey  ',
    'Bearer null',
    'Bearer undefined',
    'Bearer [object Object]',
    'Bearer %00',
    'Bearer \u00e9\u00ff',
    ',',
    '=',
    ' Bearer',
    'Negotiate x',
    'constructor x',
    '__proto__ x',
    `Bearer ${'a'.repeat(9_000)}`,
    `${'B'.repeat(9_000)} x`,
    `ApiKey ${'a'.repeat(9_000)}`,
  ]
  for (const authorization of malformed) {
    isRefused(t, await session({ headers: { authorization } }), authorization.slice(0, 40))
  }
  for (const values of [
    [`Bearer ${token}`, `Bearer ${token}`],
    [`Bearer ${token}`, ''],
    ['Basic x', `Bearer ${token}`],
  ]) {
    isRefused(t, await session({ headers: { authorization: values } }), `headers: ${values.length}`)
  }
  for (const name of ['authorization', 'cookie', 'x-api-key']) {
    const value = name === 'cookie' ? `session=${'a'.repeat(100_000)}` : `Bearer ${'a'.repeat(100_000)}`
    const { status } = await session({ headers: { [name]: value } })
    t.ok(status === 401 || status === 431, `${name} of 100 kB: ${status}`)
  }
  t.equal((await panel.send('GET', '/api/health/live')).status, 200, 'the server lives on')
})

t.test('two cookies or keys of one name never add up', async (t) => {
  const other = await panel.newPerson()
  const { key } = await panel.newKey(person)
  const { key: another } = await panel.newKey(other)
  for (const [name, values] of [
    ['nonsense and a token', ['x', person.token]],
    ['a token and nonsense', [person.token, 'x']],
    ["two people's tokens", [person.token, other.token]],
  ] as const) {
    const cookie = values.map((value) => `session=${value}`).join('; ')
    t.equal((await session({ headers: { cookie } })).status, 400, name)
  }
  t.not((await session({ headers: { 'x-api-key': [key, another] } })).status, 200, 'two keys')
  t.not((await session({ headers: { 'x-api-key': `${key}, ${another}` } })).status, 200, 'two keys in one header')
})

t.test('no spelling of a path passes the check', async (t) => {
  const paths = [
    '//api/users',
    '///api///users',
    '/api//users',
    '/api/./users',
    '/./api/users',
    '/api/health/../users',
    '/api/health/live/../../users',
    '/api/%2e/users',
    '/api/health/%2e%2e/users',
    '/api/%2e%2e/api/users',
    '/%61pi/users',
    '/api/%75sers',
    '/api%2fusers',
    '/api%2Fusers',
    '/api/users%2f',
    '/api%5cusers',
    '/api\\users',
    '/api/users/',
    '/api/users//',
    '/api/users;a=b',
    '/api/users%3b',
    '/api/users%00',
    '/api/users%20',
    '/api/users.json',
    '/api/users?auth=false',
    '/api/users#x',
    '/API/USERS',
    '/api/Users',
    '/api/%2575sers',
    '/api/openapi.json/../users',
    '/assets/../api/users',
    '/assets/..%2fapi/users',
    `${panel.url}/api/users`,
    'http://evil.example/api/users',
    '/api/auth/login/../../users',
    '/api/users?access_token=x',
  ]
  const plain = await panel.newPerson()
  for (const path of paths) {
    const nobody = await panel.send('GET', path)
    t.ok([301, 308, 400, 401, 404].includes(nobody.status), `${path} by nobody: ${nobody.status}`)
    const somebody = await panel.send('GET', path, { bearer: plain.token })
    t.ok([301, 308, 400, 403, 404].includes(somebody.status), `${path} by somebody: ${somebody.status}`)
    for (const { text } of [nobody, somebody]) t.notMatch(text, /admin@localhost/, path)
  }
  for (const query of [
    `access_token=${panel.admin.token}`,
    `token=${panel.admin.token}`,
    `session=${panel.admin.token}`,
  ]) {
    t.not((await panel.send('GET', `/api/users?${query}`)).status, 200, 'no credential is taken from the query')
  }
})

t.test('no header makes another method, path, address or user of a request', async (t) => {
  const other = await panel.newSession(person)
  const headers = [
    { 'x-http-method-override': 'DELETE' },
    { 'x-http-method': 'DELETE' },
    { 'x-method-override': 'DELETE' },
    { _method: 'DELETE' },
  ]
  for (const override of headers) {
    await panel.send('GET', '/api/auth/sessions', { bearer: person.token, headers: override })
    await panel.send('POST', '/api/auth/sessions', { bearer: person.token, headers: override })
    await panel.send('POST', '/api/auth/sessions?_method=DELETE', { bearer: person.token, body: { _method: 'DELETE' } })
  }
  t.equal((await session({ bearer: other })).status, 200, 'nothing was deleted')
  for (const [name, value] of Object.entries({
    'x-original-url': '/api/health/live',
    'x-rewrite-url': '/api/health/live',
    'x-forwarded-user': 'admin@localhost',
    'x-forwarded-email': 'admin@localhost',
    'x-remote-user': 'admin@localhost',
    'remote-user': 'admin@localhost',
    'x-user-id': panel.admin.id,
    'x-middleware-subrequest': 'middleware:middleware:middleware',
    'x-internal-request': 'true',
  })) {
    t.equal((await panel.send('GET', '/api/users', { headers: { [name]: value } })).status, 401, name)
  }
})

t.test('no field of a body turns the check off', async (t) => {
  const plain = await panel.newPerson()
  const valid = { email: 'made-by-nobody@example.com', password: 'long enough a password' }
  const switches: Record<string, unknown>[] = [
    { auth: false },
    { disableAuth: true },
    { requireAuth: false },
    { authenticated: true },
    { user: { id: panel.admin.id, permissions: ['*'] } },
    { userId: panel.admin.id },
    { principal: { permissions: ['*'] } },
    { session: { user: { id: panel.admin.id } } },
    { isAdmin: true },
    { role: 'admin' },
  ]
  const texts = [
    ...switches.map((more) => JSON.stringify({ ...valid, ...more })),
    `{"__proto__":{"permissions":["*"],"auth":false},${JSON.stringify(valid).slice(1)}`,
    `{"constructor":{"prototype":{"permissions":["*"]}},${JSON.stringify(valid).slice(1)}`,
    `{"\\u005f_proto__":{"permissions":["*"]},${JSON.stringify(valid).slice(1)}`,
  ]
  for (const text of texts) {
    const raw = { type: 'application/json', text }
    const nobody = await panel.send('POST', '/api/users', { raw })
    t.match(nobody.status, /^40[01]$/, `nobody: ${text.slice(0, 60)}`)
    const somebody = await panel.send('POST', '/api/users', { raw, bearer: plain.token })
    t.match(somebody.status, /^40[03]$/, `somebody: ${text.slice(0, 60)}`)
  }
  for (const more of switches) {
    const body = { name: 'stolen', type: 'client', permissions: [], ...more }
    t.match((await panel.send('POST', '/api/apikeys', { body })).status, /^40[01]$/, `a key: ${JSON.stringify(more)}`)
  }
  const { body: users } = await panel.ok('GET', '/api/users?limit=100', { bearer: panel.admin.token })
  t.notMatch(JSON.stringify(users), /made-by-nobody/, 'no user was made')
  t.equal((await session({ bearer: plain.token })).body.authentication.permissions.length, 0, 'nobody became more')
})
