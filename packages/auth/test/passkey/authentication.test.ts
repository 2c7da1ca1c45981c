import t from 'tap'
import { SignIn } from '../../dist/index.js'
import { challenge, register, signIn, startPasskeyPanel } from './support.js'

const url = '/api/auth/passkey/authenticate'
const challengeUrl = '/api/auth/passkey/authenticate-challenge'

t.test('signing in by passkey', async (t) => {
  const panel = await startPasskeyPanel(t)
  const { call, audited, rows } = panel
  const registered = async (name: string, options?: Parameters<typeof panel.authenticator>[0]) => {
    const person = await panel.person(`${name}@localhost`)
    const authenticator = panel.authenticator(options)
    const { passkey } = (await register(call, authenticator, { token: person.token })).body
    return { ...person, authenticator, passkey }
  }
  const sessionsOf = async (userId: string): Promise<number> =>
    (await rows(`SELECT id FROM auth_sessions WHERE user_id = '${userId}'`)).length

  t.test('by e-mail address and without, for a session and its cookie', async (t) => {
    const eve = await registered('eve')
    for (const email of [undefined, 'eve@localhost', 'EVE@localhost']) {
      const { status, body, cookies } = await signIn(call, eve.authenticator, email === undefined ? {} : { email })
      t.equal(status, 200, `${email}`)
      t.same(Object.keys(body).sort(), ['token', 'user'])
      t.match(body.user, { id: eve.id, email: eve.email })
      t.match(cookies[0] ?? '', `session=${body.token}; `)
      const { session } = (await call('GET', '/api/auth/session', { token: body.token })).body
      t.same(session.methods, ['passkey'])
    }
    const { passkeys } = (await call('GET', '/api/auth/passkeys', { token: eve.token })).body
    t.ok(Date.parse(passkeys[0].lastUsedAt) >= Date.parse(passkeys[0].createdAt))
    t.ok(audited.some(({ action, data }) => action === 'session.created' && data?.['method'] === 'passkey'))
  })

  t.test('a challenge looks the same for whoever it is', async (t) => {
    const { email } = await registered('known')
    await panel.person('without@localhost')
    const shape = (body: Record<string, unknown>): unknown => ({ ...body, challenge: String(body['challenge']).length })
    const answers = []
    for (const asked of [undefined, email, 'without@localhost', 'nobody@example.org']) {
      const query = asked === undefined ? '' : `?email=${encodeURIComponent(asked)}`
      answers.push(await call('GET', challengeUrl + query))
      answers.push(await call('POST', challengeUrl, { body: asked === undefined ? {} : { email: asked } }))
    }
    answers.push(await call('POST', challengeUrl))
    for (const { status, body } of answers) {
      t.equal(status, 200)
      t.same(shape(body), {
        rpId: 'localhost',
        challenge: 43,
        allowCredentials: [],
        timeout: 300_000,
        userVerification: 'required',
      })
    }
    t.equal(new Set(answers.map(({ headers }) => headers['content-length'])).size, 1)
    t.equal(new Set(answers.map(({ body }) => body.challenge)).size, answers.length)
  })

  t.test('of one challenge comes one session', async (t) => {
    const { id, authenticator } = await registered('replay')
    const before = await sessionsOf(id)
    const response = authenticator.get(await challenge(call))
    t.equal((await call('POST', url, { body: { response } })).status, 200)
    t.equal((await call('POST', url, { body: { response } })).status, 401, 'replayed')
    const options = await challenge(call)
    const spoilt = authenticator.get(options, { origin: 'https://evil.example' })
    t.equal((await call('POST', url, { body: { response: spoilt } })).status, 401)
    t.equal(
      (await call('POST', url, { body: { response: authenticator.get(options) } })).status,
      401,
      'spent by a refusal',
    )
    t.equal(await sessionsOf(id), before + 1)
  })

  t.test('an expired challenge, one of another purpose, one of nobody', async (t) => {
    const { authenticator, token } = await registered('late')
    const late = authenticator.get(await challenge(call))
    await rows(`UPDATE auth_one_time_tokens SET expires_at = now() - interval '1 second' RETURNING id`)
    t.equal((await call('POST', url, { body: { response: late } })).status, 401)
    const other = (await call('GET', '/api/auth/passkey/register-challenge', { token })).body
    t.equal(
      (await call('POST', url, { body: { response: authenticator.get({ ...other, rpId: 'localhost' }) } })).status,
      401,
    )
    const unknown = { challenge: Buffer.alloc(32, 7).toString('base64url'), rpId: 'localhost' }
    t.equal((await call('POST', url, { body: { response: authenticator.get(unknown) } })).status, 401)
  })

  t.test("an attacker's passkey does not sign in as a victim", async (t) => {
    const [victim, attacker] = [await registered('victim'), await registered('attacker')]
    const before = await sessionsOf(victim.id)
    t.equal((await signIn(call, attacker.authenticator, { email: victim.email })).status, 401, "the victim's challenge")
    t.equal((await signIn(call, attacker.authenticator, { email: 'nobody@example.org' })).status, 401, "nobody's")
    const response = attacker.authenticator.get(await challenge(call))
    const named = await call('POST', url, { body: { response, email: victim.email } })
    t.equal(named.status, 400, 'an e-mail address in the body')
    t.equal(named.body.errors[0].path, '/email')
    const mine = await call('POST', url, { body: { response } })
    t.equal(mine.body.user.id, attacker.id)
    const userHandle = victim.authenticator.credentials[0]?.userHandle
    t.equal(
      (await signIn(call, attacker.authenticator, { deviations: { userHandle } })).status,
      401,
      "the victim's handle",
    )
    const swapped = attacker.authenticator.get(await challenge(call))
    const credential = { id: victim.passkey.credentialId, rawId: victim.passkey.credentialId }
    t.equal((await call('POST', url, { body: { response: { ...swapped, ...credential } } })).status, 401)
    t.equal(await sessionsOf(victim.id), before)
    t.equal((await signIn(call, attacker.authenticator, { deviations: { userHandle: undefined } })).status, 200)
  })

  t.test('all that is refused is refused alike, and told to the audit log', async (t) => {
    const { id, authenticator } = await registered('refused')
    const stranger = panel.authenticator()
    stranger.create({ challenge: '', rp: { id: 'localhost' }, user: { id: 'x' } })
    const deviations = {
      'foreign origin': { origin: 'https://evil.example' },
      'origin that begins alike': { origin: `${panel.origin}.evil.example` },
      'wrong rpIdHash': { rpId: 'evil.example' },
      'user not verified': { userVerified: false },
      'user not present': { userPresent: false },
      'a registration': { type: 'webauthn.create' },
      'inside a frame of another site': { clientData: { crossOrigin: true } },
      'became a synchronised passkey': { backupEligible: true },
    }
    const bodies = new Set<string>()
    const before = await sessionsOf(id)
    const refusals = audited.length
    const tries = Object.entries(deviations).map(([name, given]) => ({ name, authenticator, given }))
    for (const { name, authenticator, given } of [...tries, { name: 'unknown', authenticator: stranger, given: {} }]) {
      const { status, body, headers, cookies } = await signIn(call, authenticator, { deviations: given })
      t.equal(status, 401, name)
      t.ok(headers['www-authenticate'])
      t.same(cookies, [])
      bodies.add(JSON.stringify({ ...body, requestId: '' }))
    }
    t.equal(bodies.size, 1, 'one answer for all')
    t.equal(JSON.parse([...bodies][0] ?? '').error, 'passkey_refused')
    t.equal(await sessionsOf(id), before)
    const told = audited.slice(refusals).map(({ action, data }) => [action, data?.['method'], typeof data?.['reason']])
    t.same(told, Array(tries.length + 1).fill(['session.refused', 'passkey', 'string']))
    t.equal((await signIn(call, authenticator)).status, 200, 'and the right one is not')
  })

  t.test('a counter that goes back is refused and reported', async (t) => {
    const { id, authenticator, passkey } = await registered('counted')
    t.equal((await signIn(call, authenticator, { deviations: { counter: 7 } })).status, 200)
    for (const counter of [7, 6, 0]) {
      t.equal((await signIn(call, authenticator, { deviations: { counter } })).status, 401, `${counter}`)
    }
    t.equal((await signIn(call, authenticator, { deviations: { counter: 8 } })).status, 200)
    const reports = audited.filter(({ action }) => action === 'passkey.counter-regressed')
    t.match(reports, [
      { target: { type: 'passkey', id: passkey.id }, data: { userId: id, stored: 7, received: 7 } },
      { data: { received: 6 } },
      { data: { received: 0 } },
    ])
    const forged = authenticator.get(await challenge(call), { counter: 1 })
    const signature = Buffer.from(forged.response.signature, 'base64url').reverse().toString('base64url')
    const response = { ...forged, response: { ...forged.response, signature } }
    t.equal((await call('POST', url, { body: { response } })).status, 401)
    t.equal(
      audited.filter(({ action }) => action === 'passkey.counter-regressed').length,
      3,
      'not without its signature',
    )
  })

  t.test('an authenticator without a counter signs in again and again', async (t) => {
    const { authenticator } = await registered('uncounted', { counts: false })
    for (let n = 0; n < 3; n++) t.equal((await signIn(call, authenticator)).status, 200)
  })

  t.test('a removed passkey, a suspended user, a deleted one', async (t) => {
    const { token } = panel.admin
    const removed = await registered('removed')
    const suspended = await registered('suspended')
    const deleted = await registered('deleted')
    const responses = []
    for (const { authenticator } of [removed, suspended, deleted]) {
      responses.push(authenticator.get(await challenge(call)))
    }
    t.equal((await call('DELETE', `/api/auth/passkeys/${removed.passkey.id}`, { token: removed.token })).status, 200)
    const change = { token, body: { suspended: true } }
    t.equal((await call('PATCH', `/api/users/${suspended.id}`, change)).status, 200)
    t.ok((await call('DELETE', `/api/users/${deleted.id}`, { token })).status < 300)
    for (const response of responses) t.equal((await call('POST', url, { body: { response } })).status, 401)
    for (const { authenticator, email } of [removed, suspended, deleted]) {
      t.equal((await signIn(call, authenticator)).status, 401, email)
      t.equal((await signIn(call, authenticator, { email })).status, 401, email)
    }
    await call('PATCH', `/api/users/${suspended.id}`, { token, body: { suspended: false } })
    t.equal((await signIn(call, suspended.authenticator)).status, 200)
  })

  t.test('another site signs nobody in', async (t) => {
    const { authenticator } = await registered('cross')
    const response = authenticator.get(await challenge(call))
    const send = (headers: Record<string, string>) => call('POST', url, { body: { response }, headers })
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: panel.origin, 'sec-fetch-site': 'cross-site' },
    ]) {
      const { status, body } = await send(headers)
      t.equal(status, 403)
      t.equal(body.error, 'cross_site_request')
    }
    t.equal((await send({ origin: panel.origin, 'sec-fetch-site': 'same-origin' })).status, 200)
  })

  t.test('no second factor is asked for', async (t) => {
    const { email, id, authenticator } = await registered('strong')
    const remove = panel.kernel.get(SignIn).addSecondFactor({
      name: 'test',
      isEnabled: async (userId) => userId === id,
      challenge: async () => ({ tempToken: 'x', methods: ['totp'] }),
    })
    const body = { email, password: 'correct horse battery' }
    t.match((await call('POST', '/api/auth/login', { body })).body, { twoFactorRequired: true })
    const { token } = (await signIn(call, authenticator)).body
    t.equal((await register(call, panel.authenticator(), { token })).status, 200, 'and it counts as one')
    await remove()
  })

  t.test('a passkey makes a session fresh, if it is the caller’s', async (t) => {
    const [mine, other] = [await registered('mine'), await registered('other')]
    const prove = async (response: unknown) =>
      call('POST', '/api/auth/reauthenticate', { token: mine.token, body: { response } })
    const isFresh = async (): Promise<boolean> =>
      (await call('GET', '/api/auth/passkey/register-challenge', { token: mine.token })).status === 200
    await panel.age(mine.token)
    t.equal(await isFresh(), false)
    t.equal((await prove(other.authenticator.get(await challenge(call)))).status, 401, "another's")
    t.equal((await prove(mine.authenticator.get(await challenge(call), { userVerified: false }))).status, 401)
    t.equal(await isFresh(), false)
    const response = mine.authenticator.get(await challenge(call, mine.email))
    t.same((await prove(response)).body, { success: true })
    t.equal(await isFresh(), true)
    await panel.age(mine.token)
    t.equal((await prove(response)).status, 401, 'replayed')
    t.equal(await isFresh(), false)
    const { session } = (await call('GET', '/api/auth/session', { token: mine.token })).body
    t.same(session.methods, ['password', 'passkey'])
    for (const nonsense of [{}, { id: 1 }, { ...response, response: [] }]) {
      const { status, body } = await prove(nonsense)
      t.equal(status, 400)
      t.match(body.errors[0].path, /^\/response\//)
    }
  })

  t.test('no secret is in the audit log', async (t) => {
    const { authenticator } = await registered('quiet')
    const response = authenticator.get(await challenge(call))
    const { token } = (await call('POST', url, { body: { response } })).body
    const refused = authenticator.get(await challenge(call), { userVerified: false })
    await call('POST', url, { body: { response: refused } })
    const text = JSON.stringify(audited)
    for (const secret of [token, response.response.signature, refused.response.signature])
      t.notOk(text.includes(secret))
  })
})

t.test('refused passkeys are counted per address', async (t) => {
  const limits = { attemptsPerAddress: { points: 3, windowSeconds: 900 } }
  const panel = await startPasskeyPanel(t, { passkey: limits })
  const { call } = panel
  const authenticator = panel.authenticator()
  await register(call, authenticator, { token: panel.admin.token })
  for (let n = 0; n < 5; n++) t.equal((await signIn(call, authenticator)).status, 200, 'the right one costs nothing')
  const wrong = { deviations: { userVerified: false } }
  for (let n = 0; n < 3; n++) t.equal((await signIn(call, authenticator, wrong)).status, 401)
  const { status, headers } = await signIn(call, authenticator)
  t.equal(status, 429, 'the right one too')
  t.ok(Number(headers['retry-after']) > 0)
  t.equal(
    (await call('POST', '/api/auth/login', { body: { email: 'admin@localhost', password: 'correct horse battery' } }))
      .status,
    200,
  )
})

t.test('challenges are counted per address', async (t) => {
  const { call } = await startPasskeyPanel(t, { passkey: { challengesPerAddress: { points: 2, windowSeconds: 60 } } })
  t.equal((await call('GET', challengeUrl)).status, 200)
  t.equal((await call('POST', challengeUrl, { body: { email: 'a@example.org' } })).status, 200)
  const { status, headers } = await call('GET', challengeUrl)
  t.equal(status, 429)
  t.ok(headers['retry-after'])
})
