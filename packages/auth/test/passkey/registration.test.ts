import { randomUUID } from 'node:crypto'
import { Authenticator, definePlugin } from '@sallyport/core'
import t from 'tap'
import { challenge, register, signIn, startPasskeyPanel } from './support.js'

/** Signs requests with `Authorization: Key <user's id>` as an API key of that user. */
const keys = definePlugin({
  name: 'test.keys',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services, scope }) {
    const undo = services.authenticator.use({
      name: 'key',
      schemes: ['Key'],
      authenticate({ headers }) {
        const [scheme, userId = ''] = String(headers['authorization'] ?? '').split(' ')
        if (scheme !== 'Key') return { kind: 'absent' }
        const rights = { permissions: ['*'], memberships: [] }
        return { kind: 'authenticated', principal: { kind: 'apiKey', id: 'key-1', userId, strategy: 'key', ...rights } }
      },
    })
    scope.defer(undo)
  },
})

t.test('registering passkeys', async (t) => {
  const panel = await startPasskeyPanel(t, { plugins: [keys()] })
  const { call, audited, rows } = panel
  const url = '/api/auth/passkey/register'
  const challengeOf = async (token: string) =>
    (await call('POST', '/api/auth/passkey/register-challenge', { token, body: {} })).body

  t.test('creation options ask for a discoverable, verified passkey and say nothing of the user', async (t) => {
    const { id, email, token } = await panel.person('options@localhost')
    for (const method of ['GET', 'POST']) {
      const { status, body } = await call(method, '/api/auth/passkey/register-challenge', { token })
      t.equal(status, 200)
      t.match(body, {
        rp: { id: 'localhost', name: 'localhost' },
        user: { name: email, displayName: email },
        attestation: 'none',
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        excludeCredentials: [],
      })
      t.match(body.challenge, /^[\w-]{43}$/)
      const handle = Buffer.from(body.user.id, 'base64url')
      t.equal(handle.length, 32)
      t.notOk(handle.toString('latin1').includes(id) || body.user.id.includes(id))
      t.same(
        body.pubKeyCredParams.map(({ alg }: { alg: number }) => alg),
        [-8, -7, -257],
      )
    }
    const [first, second] = [await challengeOf(token), await challengeOf(token)]
    t.equal(first.user.id, second.user.id, 'a handle for life')
    t.not(first.challenge, second.challenge)
  })

  t.test('a passkey is registered, shown and used, of every kind of key', async (t) => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const person = await panel.person(`${algorithm}@localhost`)
      const authenticator = panel.authenticator({ algorithm })
      const { status, body } = await register(call, authenticator, { token: person.token, name: 'My phone' })
      t.equal(status, 200, algorithm)
      t.equal(body.verified, true)
      t.match(body.passkey, {
        name: 'My phone',
        credentialId: authenticator.credentials[0]?.id,
        transports: ['internal', 'hybrid'],
        deviceType: 'singleDevice',
        backedUp: false,
        lastUsedAt: null,
      })
      const shown = ['aaguid', 'backedUp', 'createdAt', 'credentialId', 'deviceType', 'id', 'lastUsedAt', 'name']
      t.same(Object.keys(body.passkey).sort(), [...shown, 'transports'])
      const signedIn = await signIn(call, authenticator)
      t.equal(signedIn.status, 200)
      t.equal(signedIn.body.user.id, person.id)
      const { excludeCredentials } = await challengeOf(person.token)
      t.same(
        excludeCredentials.map((entry: { id: string }) => entry.id),
        [body.passkey.credentialId],
      )
    }
  })

  t.test('a link on another site does not ask for options', async (t) => {
    const { token } = await panel.person('link@localhost')
    const headers = { 'sec-fetch-site': 'cross-site' }
    const path = '/api/auth/passkey/register-challenge'
    t.equal((await call('GET', path, { cookie: token, headers })).status, 403)
    t.equal((await call('GET', path, { cookie: token })).status, 200)
  })

  t.test('a passkey without a name has one', async (t) => {
    const { token } = await panel.person('nameless@localhost')
    t.equal((await register(call, panel.authenticator(), { token })).body.passkey.name, 'Passkey')
  })

  t.test('a challenge is good once, for its user, its purpose, and until the next', async (t) => {
    const [one, two] = [await panel.person('one@localhost'), await panel.person('two@localhost')]
    const authenticator = panel.authenticator()
    const send = async (token: string, response: unknown) =>
      (await call('POST', url, { token, body: { response } })).status

    const response = authenticator.create(await challengeOf(one.token))
    t.equal(await send(one.token, response), 200)
    t.equal(await send(one.token, response), 401, 'replayed')

    t.equal(await send(two.token, authenticator.create(await challengeOf(one.token))), 401, "another's")
    const burnt = authenticator.create(await challengeOf(one.token))
    await send(two.token, burnt)
    t.equal(await send(one.token, burnt), 401, 'tried by another')

    const { challenge: forSignIn } = await challenge(call, one.email)
    t.equal(await send(one.token, authenticator.create(await challengeOf(one.token), { challenge: forSignIn })), 401)
    const earlier = await challengeOf(one.token)
    const later = await challengeOf(one.token)
    t.equal(await send(one.token, authenticator.create(earlier)), 401, 'replaced')
    t.equal(await send(one.token, authenticator.create(later)), 200)

    const late = await challengeOf(one.token)
    await rows(`UPDATE auth_one_time_tokens SET expires_at = now() - interval '1 second' RETURNING id`)
    t.equal(await send(one.token, authenticator.create(late)), 401, 'expired')
  })

  t.test('what the browser or the authenticator should not have done is refused', async (t) => {
    const { token } = await panel.person('deviant@localhost')
    const deviations = {
      'foreign origin': { origin: 'https://evil.example' },
      'origin with another port': { origin: 'http://localhost:1' },
      'origin that begins alike': { origin: `${panel.origin}.evil.example` },
      'wrong rpIdHash': { rpId: 'evil.example' },
      'user not verified': { userVerified: false },
      'user not present': { userPresent: false },
      'an assertion': { type: 'webauthn.get' },
      'inside a frame of another site': { clientData: { crossOrigin: true } },
      'inside a frame': { clientData: { topOrigin: 'https://evil.example' } },
      'no challenge': { clientData: { challenge: null } },
      'unknown challenge': { challenge: Buffer.alloc(32).toString('base64url') },
    }
    const bodies = new Set<string>()
    for (const [name, deviation] of Object.entries(deviations)) {
      const { status, body } = await register(call, panel.authenticator(), { token, deviations: deviation })
      t.equal(status, 401, name)
      bodies.add(JSON.stringify({ ...body, requestId: '' }))
    }
    t.equal(bodies.size, 1, 'one answer for all')
    t.equal(JSON.parse([...bodies][0] ?? '').error, 'passkey_refused')
    const options = await challengeOf(token)
    const response = panel.authenticator().create(options)
    const id = Buffer.alloc(32, 1).toString('base64url')
    const other = await call('POST', url, { token, body: { response: { ...response, id, rawId: id } } })
    t.equal(other.status, 401, 'an id that the authenticator did not give')
    t.same((await call('GET', '/api/auth/passkeys', { token })).body, { passkeys: [] })
    t.equal(
      audited.filter(({ action }) => action === 'passkey.registration-refused').length >=
        Object.keys(deviations).length,
      true,
    )
  })

  t.test('an attestation that nobody asked for is not looked at', async (t) => {
    const { token } = await panel.person('attested@localhost')
    const authenticator = panel.authenticator()
    const attStmt = new Map<string, string | Uint8Array[] | Uint8Array | number>([
      ['alg', -7],
      ['sig', Buffer.from('not a signature')],
      ['x5c', [Buffer.from('not a certificate')]],
    ])
    const deviations = { format: { fmt: 'packed', attStmt } }
    t.equal((await register(call, authenticator, { token, deviations })).status, 200)
    t.equal((await signIn(call, authenticator)).status, 200)
  })

  t.test('a credential that is registered stays with its owner', async (t) => {
    const [owner, thief] = [await panel.person('owner@localhost'), await panel.person('thief@localhost')]
    const authenticator = panel.authenticator()
    const { passkey } = (await register(call, authenticator, { token: owner.token, name: 'Mine' })).body
    const [credential] = authenticator.credentials
    const before = await rows(`SELECT * FROM auth_passkeys WHERE id = '${passkey.id}'`)
    for (const { token } of [thief, owner]) {
      const deviations = { credentialId: passkey.credentialId }
      const { status, body } = await register(call, panel.authenticator(), { token, name: 'Stolen', deviations })
      t.equal(status, 409)
      t.equal(body.error, 'passkey_taken')
    }
    t.same(await rows(`SELECT * FROM auth_passkeys WHERE id = '${passkey.id}'`), before)
    const { status, body } = await signIn(call, authenticator, { deviations: { ...(credential && { credential }) } })
    t.equal(status, 200)
    t.equal(body.user.id, owner.id)
    t.same((await call('GET', '/api/auth/passkeys', { token: thief.token })).body, { passkeys: [] })
  })

  t.test('only people with a fresh session begin or end it', async (t) => {
    const person = await panel.person('stale@localhost')
    const authenticator = panel.authenticator()
    const response = authenticator.create(await challengeOf(person.token))
    await panel.age(person.token)
    for (const [method, path, body] of [
      ['GET', '/api/auth/passkey/register-challenge', undefined],
      ['POST', '/api/auth/passkey/register-challenge', {}],
      ['POST', url, { response }],
      ['DELETE', `/api/auth/passkeys/${randomUUID()}`, undefined],
    ] as const) {
      const stale = await call(method, path, { token: person.token, body })
      t.equal(stale.status, 403, path)
      t.equal(stale.body.error, 'reauthentication_required')
      const key = await call(method, path, { body, headers: { authorization: `Key ${person.id}` } })
      t.equal(key.status, 403, path)
      t.equal(key.body.error, 'forbidden')
      t.equal((await call(method, path, { body })).status, 401)
    }
    const key = { headers: { authorization: `Key ${person.id}` } }
    t.equal((await call('GET', '/api/auth/passkeys', key)).status, 403)
    t.equal((await call('GET', '/api/auth/passkeys', { token: person.token })).status, 200, 'listing needs none')
    const again = { body: { password: 'correct horse battery' }, token: person.token }
    t.equal((await call('POST', '/api/auth/reauthenticate', again)).status, 200)
    t.equal((await call('POST', url, { token: person.token, body: { response } })).status, 200)
  })

  t.test('a user has 50 at most', async (t) => {
    const person = await panel.person('collector@localhost')
    await call('GET', '/api/auth/passkey/register-challenge', { token: person.token })
    await rows(`
      INSERT INTO auth_passkeys (id, user_id, credential_id, public_key, counter, transports, device_type, backed_up, aaguid, name)
      SELECT gen_random_uuid(), '${person.id}', 'filler-' || n, '', 0, '{}', 'singleDevice', false, '', 'x'
      FROM generate_series(1, 49) AS n RETURNING id
    `)
    t.equal((await register(call, panel.authenticator(), { token: person.token })).status, 200)
    const { status, body } = await register(call, panel.authenticator(), { token: person.token })
    t.equal(status, 409)
    t.equal(body.error, 'too_many_passkeys')
    t.equal((await call('GET', '/api/auth/passkeys', { token: person.token })).body.passkeys.length, 50)
  })

  t.test('with a user go their passkeys', async (t) => {
    const person = await panel.person('leaver@localhost')
    const authenticator = panel.authenticator()
    await register(call, authenticator, { token: person.token })
    await challengeOf(person.token)
    t.equal((await call('DELETE', `/api/users/${person.id}`, { token: panel.admin.token })).status < 300, true)
    for (const [table, column] of [
      ['auth_passkeys', 'user_id'],
      ['auth_passkey_users', 'user_id'],
      ['auth_one_time_tokens', 'subject'],
    ] as const) {
      t.same(await rows(`SELECT * FROM ${table} WHERE ${column} = '${person.id}'`), [], table)
    }
    t.equal((await signIn(call, authenticator)).status, 401)
    t.ok(audited.some(({ action, target }) => action === 'passkey.all-removed' && target?.id === person.id))
  })
})
