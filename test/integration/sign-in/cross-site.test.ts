// Requests that another site makes a browser send, and what requests say of the panel's own address.
import t, { type Test } from 'tap'
import { type MailSink, mailSink, resetLink } from '../../support/mail-sink.js'
import { type Operation, operations } from '../../support/openapi.js'
import { type Carried, sessionCookie } from '../../support/raw-client.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { softwarePasskey } from '../../support/software-passkey.js'
import { totp } from '../../support/totp.js'

const evil = 'https://evil.example'
const nobodysId = '00000000-0000-4000-8000-000000000000'
const fill = (path: string): string => path.replaceAll(/\{\w+\}/g, nobodysId)

let mail: MailSink
let panel: SignInPanel

t.before(async () => {
  mail = await mailSink(t)
  panel = await startSignInPanel(t, { SMTP_URL: mail.url })
})

/** What browsers add to a request that another site has them send. */
const foreign: Record<string, Record<string, string>> = {
  'foreign Origin': { origin: evil },
  'Origin null': { origin: 'null' },
  'Origin of another port': { origin: 'http://localhost:1' },
  'Origin with another scheme': { origin: 'https://localhost' },
  'Origin that begins alike': { origin: 'http://localhost.evil.example' },
  'Origin that is empty': { origin: '' },
  'Sec-Fetch-Site: cross-site': { 'sec-fetch-site': 'cross-site' },
  'cross-site with the panel’s Origin': { 'sec-fetch-site': 'cross-site', origin: 'own' },
  'same-site from a sister domain': { 'sec-fetch-site': 'same-site', origin: 'http://sister.localhost' },
}

/** Sends it to all routes from all the other sites; says which answer with something else than 403. */
async function notForbidden(panel: SignInPanel, routes: readonly Operation[]): Promise<string[]> {
  const wrong: string[] = []
  for (const { method, path } of routes) {
    for (const [name, headers] of Object.entries(foreign)) {
      const own = headers['origin'] === 'own' ? { ...headers, origin: panel.url } : headers
      const body = method === 'DELETE' ? undefined : {}
      const carried = { ip: panel.newIp(), cookie: panel.admin.token, headers: own, body }
      const { status, cookies } = await panel.send(method, fill(path), carried)
      if (status !== 403 || cookies.length > 0) wrong.push(`${method} ${path}, ${name}: ${status} ${cookies}`)
    }
  }
  return wrong
}

t.test('an unsafe request with the cookie from another site is 403', async (t) => {
  const unsafe = (await operations(panel)).filter(({ method }) => method !== 'GET')
  const routes = unsafe.filter(({ isPublic }) => !isPublic)
  t.ok(routes.length > 20, `${routes.length} routes`)
  t.same(await notForbidden(panel, routes), [], 'on every route that asks who it is')
  const open = unsafe.filter(({ isPublic }) => isPublic)
  t.same(await notForbidden(panel, open), [], 'on every other')
  t.equal(
    (await panel.send('GET', '/api/auth/session', { cookie: panel.admin.token })).status,
    200,
    'the session goes on',
  )
  const own = { origin: panel.url, 'sec-fetch-site': 'same-origin' }
  const carried = { cookie: panel.admin.token, headers: own, body: { name: 'ours' } }
  t.equal((await panel.send('POST', '/api/organisations', carried)).status, 201, 'the panel’s own page may')
})

t.test('what a form can send is no JSON', async (t) => {
  const { token: cookie } = panel.admin
  const json = JSON.stringify({ email: 'from-a-form@example.com', password: 'long enough a password' })
  const multipart = '--x\r\ncontent-disposition: form-data; name="email"\r\n\r\na@example.com\r\n--x--\r\n'
  const bodies: Record<string, { type: string; text: string }> = {
    'text/plain': { type: 'text/plain', text: json },
    'text/plain with a charset': { type: 'text/plain; charset=application/json', text: json },
    'text/plain that names JSON': { type: 'text/plain; application/json', text: json },
    form: { type: 'application/x-www-form-urlencoded', text: `${encodeURIComponent(json)}=` },
    'form fields': { type: 'application/x-www-form-urlencoded', text: 'email=a%40example.com&password=long+enough' },
    multipart: { type: 'multipart/form-data; boundary=x', text: multipart },
    'two types': { type: 'text/plain, application/json', text: json },
    'no type': { type: '', text: json },
  }
  const routes = (await operations(panel)).filter(({ body }) => body !== undefined)
  for (const { method, path } of routes) {
    for (const [name, raw] of Object.entries(bodies)) {
      for (const headers of [{}, { origin: panel.url }]) {
        const reply = await panel.send(method, fill(path), { ip: panel.newIp(), cookie, raw, headers })
        t.match(reply.status, /^4(00|15)$/, `${method} ${path}: ${name}`)
      }
    }
  }
  const { body } = await panel.ok('GET', '/api/users?limit=200', { bearer: cookie })
  t.notMatch(JSON.stringify(body), /from-a-form|a@example.com/, 'no user was made')
})

t.test('another site cannot sign its visitors in', async (t) => {
  const person = await panel.newPerson()
  const factor = await panel.newTwoFactorPerson()
  const passkey = softwarePasskey(panel.origin)
  const { body: creation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', {
    bearer: person.token,
    body: {},
  })
  const response = passkey.create(creation)
  await panel.ok('POST', '/api/auth/passkey/register', { bearer: person.token, body: { response } })

  const ways: Record<string, () => Promise<[path: string, body: object]>> = {
    login: async () => ['/api/auth/login', { email: person.email, password: person.password }],
    'verify-login': async () => [
      '/api/auth/2fa/verify-login',
      { tempToken: await panel.tempToken(factor), backupCode: factor.recoveryCodes[0] },
    ],
    passkey: async () => {
      const { body } = await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: {} })
      return ['/api/auth/passkey/authenticate', { response: passkey.get(body) }]
    },
  }
  for (const [way, prepare] of Object.entries(ways)) {
    for (const [name, headers] of Object.entries(foreign)) {
      const [path, body] = await prepare()
      const own = headers['origin'] === 'own' ? { ...headers, origin: panel.url } : headers
      const reply = await panel.send('POST', path, { ip: panel.newIp(), headers: own, body })
      t.match(reply, { status: 403, cookies: [] }, `${way}: ${name}`)
      t.notOk(sessionCookie(reply), `${way}: ${name}: no cookie`)
    }
    const [path, body] = await prepare()
    const reply = await panel.send('POST', path, { ip: panel.newIp(), headers: { origin: panel.url }, body })
    t.equal(reply.status, 200, `${way}: the panel’s own page may`)
    t.match(reply.cookies, [/^session=[^;]+; .*HttpOnly/], `${way}: sets the cookie`)
  }
})

t.test('no other origin may read an answer', async (t) => {
  const headers = {
    origin: evil,
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': 'authorization',
  }
  for (const path of ['/api/auth/login', '/api/auth/session', '/api/users', '/api/openapi.json']) {
    for (const method of ['OPTIONS', 'GET']) {
      const reply = await panel.send(method, path, { cookie: panel.admin.token, headers })
      const allowed = Object.keys(reply.headers).filter((name) => name.startsWith('access-control-allow'))
      t.same(allowed, [], `${method} ${path}`)
    }
  }
  const reply = await panel.send('GET', '/api/auth/session', { cookie: panel.admin.token })
  t.match(reply.headers['cache-control'], /no-store/, 'personal answers are kept by no cache')
})

/** What a client or a proxy that is not believed may say of where the panel is. */
const misleading = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '8443',
  'x-forwarded-prefix': '/evil',
  'x-host': 'evil.example',
  'x-original-host': 'evil.example',
  forwarded: 'host=evil.example;proto=https',
  referer: `${evil}/`,
}

async function addressesGiven(t: Test, panel: SignInPanel): Promise<void> {
  const expected = panel.origin
  const carried: Carried = { headers: { ...misleading, host: 'evil.example' } }
  const person = await panel.newPerson()

  for (const host of ['evil.example', 'evil.example:80', '', 'localhost@evil.example']) {
    const headers = { ...misleading, host }
    const ip = panel.newIp()
    const { status } = await panel.send('POST', '/api/auth/password-reset/request', {
      ip,
      headers,
      body: { email: person.email },
    })
    if (status === 400) continue
    t.equal(status, 200, `Host: ${host}`)
    const { text } = await mail.take(person.email, resetLink)
    const links = text.match(/https?:\/\/[^\s"<>]*[^\s"<>.]/g) ?? []
    t.ok(links.length > 0, 'the mail has a link')
    for (const link of links) t.ok(link === expected || link.startsWith(`${expected}/`), link)
    t.notMatch(text, /evil/)
  }
  const challenge = await panel.send('POST', '/api/auth/passkey/authenticate-challenge', { ...carried, body: {} })
  t.equal(challenge.body.rpId, new URL(expected).hostname)
  const creation = await panel.send('POST', '/api/auth/passkey/register-challenge', {
    ...carried,
    bearer: person.token,
    body: {},
  })
  t.equal(creation.body.rp.id, new URL(expected).hostname)
  const device = await panel.send('POST', '/api/tunnel/device/start', { ...carried, body: { name: 'thing' } })
  t.ok(device.body.verificationUri.startsWith(`${expected}/`), device.body.verificationUri)
  const document = await panel.send('GET', '/api/openapi.json', carried)
  t.notMatch(document.text, /evil/)
  const { email, password } = person
  const login = await panel.send('POST', '/api/auth/login', {
    ...carried,
    ip: panel.newIp(),
    body: { email, password },
  })
  t.notMatch(login.cookies.join(), /domain=/i, 'the cookie is for this host alone')
  t.equal(/; Secure/i.test(login.cookies.join()), expected.startsWith('https:'), 'Secure as the public URL says')
  const csrf = await panel.send('POST', '/api/organisations', {
    cookie: person.token,
    headers: { ...misleading, host: 'evil.example', origin: evil },
    body: { name: 'forged' },
  })
  t.equal(csrf.status, 403, 'an Origin that agrees with the Host is foreign all the same')
}

t.test(
  'the first request does not fix the public URL: links, WebAuthn and cookies follow the configuration',
  async (t) => {
    await t.test('as it listens', (t) => addressesGiven(t, panel))
    await t.test('by PUBLIC_URL', async (t) => {
      const publicUrl = 'https://panel.example.com'
      const behindProxy = await startSignInPanel(t, { SMTP_URL: mail.url, PUBLIC_URL: publicUrl })
      await addressesGiven(t, behindProxy)
    })
  },
)

t.test('a set-up that another site begins takes nothing that is in force', async (t) => {
  const person = await panel.newTwoFactorPerson()
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  const reply = await panel.send('GET', '/api/auth/2fa/setup', { cookie: person.token, headers })
  t.notMatch(reply.text, person.secret, 'the secret in force is not shown')
  const tempToken = await panel.tempToken(person)
  const body = { tempToken, token: totp(person.secret) }
  t.equal((await panel.send('POST', '/api/auth/2fa/verify-login', { body })).status, 200, 'and is in force still')
})
