// Passkeys, as an attacker with an authenticator in software tries them.
import { generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type Person, type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { type Lie, type SoftwarePasskey, softwarePasskey } from '../../support/software-passkey.js'

let panel: SignInPanel

t.before(async () => {
  panel = await startSignInPanel(t)
})

const post = (path: string, carried: Carried): Promise<Reply> =>
  panel.send('POST', path, { ip: panel.newIp(), ...carried })
const requestOptions = async (email?: string) =>
  (await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: email ? { email } : {} })).body
const creationOptions = async (bearer: string) =>
  (await panel.ok('POST', '/api/auth/passkey/register-challenge', { bearer, body: {} })).body
const authenticate = (response: object, more: object = {}, carried: Carried = {}): Promise<Reply> =>
  post('/api/auth/passkey/authenticate', { ...carried, body: { response, ...more } })

async function register(
  person: Person,
  passkey: SoftwarePasskey = softwarePasskey(panel.origin),
): Promise<SoftwarePasskey> {
  const response = passkey.create(await creationOptions(person.token))
  await panel.ok('POST', '/api/auth/passkey/register', { bearer: person.token, body: { response } })
  return passkey
}

/** 401 and no session. */
function isRefused(t: Test, reply: Reply, name: string): void {
  t.equal(reply.status, 401, name)
  t.same(reply.cookies, [], `${name}: no cookie`)
  t.notOk(reply.body?.token, `${name}: no token`)
}

const lies: Record<string, Lie> = {
  'foreign origin': { origin: 'https://evil.example' },
  'an origin that begins alike': { origin: 'http://localhost.evil.example' },
  'another port': { origin: 'http://localhost:1' },
  'no origin': { origin: '' },
  'another relying party': { rpId: 'evil.example' },
  'user not verified': { userVerified: false },
  'user not present': { userPresent: false, userVerified: false },
  'inside a frame of another site': { crossOrigin: true },
  'another challenge': { challenge: Buffer.alloc(32, 7).toString('base64url') },
  'no challenge': { challenge: '' },
}

t.test('assertions that lie', async (t) => {
  const person = await panel.newPerson()
  const passkey = await register(person)
  for (const [name, lie] of Object.entries({
    ...lies,
    'the other ceremony': { type: 'webauthn.create' },
    'a signature of zeros': { signature: Buffer.alloc(70) },
    'no signature': { signature: Buffer.from('AA') },
    'another’s user handle': { userHandle: Buffer.from(panel.admin.id).toString('base64url') },
  })) {
    isRefused(t, await authenticate(passkey.get(await requestOptions(), lie)), name)
  }
  t.equal((await authenticate(passkey.get(await requestOptions()))).status, 200, 'the truth')
  const options = { challenge: (await requestOptions()).challenge }
  const headers = { origin: 'https://evil.example', host: 'evil.example' }
  const foreign = passkey.get(options, { origin: 'https://evil.example', rpId: 'evil.example' })
  const { status, cookies } = await authenticate(foreign, {}, { headers })
  t.match(status, /^40[13]$/, 'the request’s Origin is not the expected origin')
  t.same(cookies, [])
})

t.test('registrations that lie', async (t) => {
  const person = await panel.newPerson()
  for (const [name, lie] of Object.entries({ ...lies, 'the other ceremony': { type: 'webauthn.get' } })) {
    const response = softwarePasskey(panel.origin).create(await creationOptions(person.token), lie)
    const { status } = await post('/api/auth/passkey/register', { bearer: person.token, body: { response } })
    t.equal(status, 401, name)
  }
  const { body } = await panel.ok('GET', '/api/auth/passkeys', { bearer: person.token })
  t.same(body.passkeys, [])
})

t.test('an assertion is good once, and for its ceremony alone', async (t) => {
  const person = await panel.newPerson()
  const passkey = await register(person)
  const options = await requestOptions()
  const assertion = passkey.get(options)
  t.equal((await authenticate(assertion)).status, 200)
  isRefused(t, await authenticate(assertion), 'again')
  isRefused(t, await authenticate(passkey.get(options)), 'the same challenge, signed anew')
  const creation = await creationOptions(person.token)
  isRefused(t, await authenticate(passkey.get(creation)), 'a challenge for making a passkey')
  const request = await requestOptions()
  const wrongPurpose = softwarePasskey(panel.origin).create({ ...creation, challenge: request.challenge })
  const { status } = await post('/api/auth/passkey/register', {
    bearer: person.token,
    body: { response: wrongPurpose },
  })
  t.equal(status, 401, 'a challenge for signing in')
})

t.test('a challenge for making a passkey is its user’s alone', async (t) => {
  const [victim, attacker] = [await panel.newPerson(), await panel.newPerson()]
  const response = softwarePasskey(panel.origin).create(await creationOptions(attacker.token))
  const { status } = await post('/api/auth/passkey/register', { bearer: victim.token, body: { response } })
  t.equal(status, 401, 'the attacker’s passkey in the victim’s account')
  const { body } = await panel.ok('GET', '/api/auth/passkeys', { bearer: victim.token })
  t.same(body.passkeys, [])
})

t.test('the session goes to the passkey’s owner, never to an e-mail that was sent', async (t) => {
  const [victim, attacker] = [await panel.newPerson(), await panel.newPerson()]
  await register(victim)
  const passkey = await register(attacker)
  for (const email of [victim.email, panel.admin.email, victim.email.toUpperCase()]) {
    isRefused(t, await authenticate(passkey.get(await requestOptions(email))), `a challenge for ${email}`)
  }
  for (const more of [{ email: victim.email }, { userId: victim.id }, { user: victim.id }]) {
    const reply = await authenticate(passkey.get(await requestOptions()), more)
    if (reply.status === 200) t.equal(reply.body.user.id, attacker.id, JSON.stringify(more))
    else t.match(reply.status, /^40[01]$/, JSON.stringify(more))
  }
  const own = await authenticate(passkey.get(await requestOptions(attacker.email)))
  t.equal(own.body.user.id, attacker.id)
})

t.test('a credential registered again stays its owner’s', async (t) => {
  const [victim, attacker] = [await panel.newPerson(), await panel.newPerson()]
  const passkey = await register(victim)
  const forged = softwarePasskey(panel.origin, Buffer.from(passkey.credentialId, 'base64url'))
  const response = forged.create(await creationOptions(attacker.token))
  const reply = await post('/api/auth/passkey/register', { bearer: attacker.token, body: { response } })
  t.match(reply.status, /^4(01|09)$/)
  isRefused(t, await authenticate(forged.get(await requestOptions())), 'the attacker’s key for the victim’s credential')
  const own = await authenticate(passkey.get(await requestOptions(), { userHandle: undefined }))
  t.match(own, { status: 200, body: { user: { id: victim.id } } }, 'the victim’s is as it was')
  const again = passkey.create(await creationOptions(victim.token))
  t.match(
    (await post('/api/auth/passkey/register', { bearer: victim.token, body: { response: again } })).status,
    /^4(01|09)$/,
  )
})

t.test('an unknown, a removed and a forged passkey are refused alike', async (t) => {
  const person = await panel.newPerson()
  const removed = await register(person)
  const { body } = await panel.ok('GET', '/api/auth/passkeys', { bearer: person.token })
  await panel.ok('DELETE', `/api/auth/passkeys/${body.passkeys[0].id}`, { bearer: person.token })
  const kept = await register(person)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const foreignKey = sign('sha256', Buffer.from('anything'), privateKey)
  const told = async (response: object) => {
    const { status, body: answer, cookies } = await authenticate(response)
    const { requestId: _, ...rest } = answer
    return { status, cookies, ...rest }
  }
  const unknown = await told(softwarePasskey(panel.origin).get(await requestOptions()))
  t.match(unknown, { status: 401, cookies: [] })
  t.same(await told(removed.get(await requestOptions())), unknown, 'removed')
  t.same(await told(kept.get(await requestOptions(), { signature: foreignKey })), unknown, 'forged')
  t.same(await told(kept.get(await requestOptions(), { origin: 'https://evil.example' })), unknown, 'foreign origin')
  const replayed = kept.get(await requestOptions())
  await authenticate(replayed)
  t.same(await told(replayed), unknown, 'replayed')
})

t.test('a counter that goes back is refused', async (t) => {
  const person = await panel.newPerson()
  const passkey = await register(person)
  t.equal((await authenticate(passkey.get(await requestOptions(), { counter: 100 }))).status, 200)
  for (const counter of [99, 100, 0]) {
    isRefused(t, await authenticate(passkey.get(await requestOptions(), { counter })), `${counter} after 100`)
  }
  const { body } = await panel.ok('GET', '/api/audit?limit=200', { bearer: panel.admin.token })
  t.ok(
    body.entries.some(({ action }: { action: string }) => /counter/.test(action)),
    'it is reported',
  )
})

t.test('a challenge looks the same for an unknown e-mail, a known one and one with a passkey', async (t) => {
  const [plain, withPasskey] = [await panel.newPerson(), await panel.newPerson()]
  await register(withPasskey)
  for (const method of ['GET', 'POST']) {
    const shape = async (email: string) => {
      const query = method === 'GET' ? `?email=${encodeURIComponent(email)}` : ''
      const body = method === 'GET' ? undefined : { email }
      const reply = await panel.send(method, `/api/auth/passkey/authenticate-challenge${query}`, {
        ip: panel.newIp(),
        body,
      })
      const { date: _, 'x-request-id': __, ...headers } = reply.headers
      const { challenge, ...rest } = reply.body
      return { status: reply.status, headers, rest, length: challenge.length, fields: Object.keys(reply.body) }
    }
    const unknown = await shape('nobody-at-all@example.com')
    t.equal(unknown.status, 200)
    t.same(await shape(plain.email), unknown, `${method}: known`)
    t.same(await shape(withPasskey.email), unknown, `${method}: with a passkey`)
  }
})

t.test('passkeys of another are not found, and a suspended owner’s open nothing', async (t) => {
  const [victim, attacker] = [await panel.newPerson(), await panel.newPerson()]
  const passkey = await register(victim)
  const { body } = await panel.ok('GET', '/api/auth/passkeys', { bearer: victim.token })
  const path = `/api/auth/passkeys/${body.passkeys[0].id}`
  t.notMatch(JSON.stringify(body), /publicKey|counter|handle/i, 'the list has no row’s secrets')
  t.equal((await panel.send('DELETE', path, { bearer: attacker.token })).status, 404)
  t.equal((await panel.send('PATCH', path, { bearer: attacker.token, body: { name: 'mine' } })).status, 404)
  await panel.ok('PATCH', `/api/users/${victim.id}`, { bearer: panel.admin.token, body: { suspended: true } })
  isRefused(t, await authenticate(passkey.get(await requestOptions())), 'suspended')
})

t.test('another’s passkey proves nobody again', async (t) => {
  const [victim, attacker] = [await panel.newPerson(), await panel.newPerson()]
  const passkey = await register(attacker)
  const body = { response: passkey.get(await requestOptions()) }
  const reply = await post('/api/auth/reauthenticate', { bearer: victim.token, body })
  t.match(reply.status, /^40[13]$/)
})
