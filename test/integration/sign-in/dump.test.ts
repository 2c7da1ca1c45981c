// Whoever has read the whole database holds nothing that a client could send.
import t from 'tap'
import { type DumpedValue, dump } from '../../support/dump.js'
import { linkToken, mailedCode, mailSink, resetLink } from '../../support/mail-sink.js'
import { inParallel } from '../../support/parallel.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { postgresServer, withoutPostgres } from '../../support/real-servers.js'
import { startSignInPanel } from '../../support/sign-in-panel.js'
import { softwarePasskey } from '../../support/software-passkey.js'
import { previousTotp, totp } from '../../support/totp.js'

const width = 8
const maxValues = 4_000
const isHeader = (text: string): boolean => /^[!-~]([ -~]*[!-~])?$/.test(text) && text.length < 4_096
const isBase64url = (text: string): boolean => /^[\w-]{8,}$/.test(text)

t.test('a dump replayed against every slot', { skip: withoutPostgres }, async (t) => {
  const [postgres, mail] = [await postgresServer(t), await mailSink(t)]
  const panel = await startSignInPanel(t, { DATABASE_URL: postgres.url, SMTP_URL: mail.url })
  const send = (method: string, path: string, carried: Carried = {}): Promise<Reply> =>
    panel.send(method, path, { ip: panel.newIp(), ...carried })
  const post = (path: string, body: object, carried: Carried = {}) => send('POST', path, { ...carried, body })

  // Everything that there is to have.
  const person = await panel.newPerson(['users:read'])
  const plain = await panel.newPerson()
  const passkey = softwarePasskey(panel.origin)
  const { body: creation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', {
    bearer: person.token,
    body: {},
  })
  const body = { response: passkey.create(creation) }
  await panel.ok('POST', '/api/auth/passkey/register', { bearer: person.token, body })
  const { key } = await panel.newKey(person, { permissions: ['users:read'] })
  const { key: adminKey } = await panel.newKey(panel.admin, { type: 'admin', permissions: undefined })
  const { body: setup } = await panel.ok('GET', '/api/auth/2fa/setup', { bearer: person.token })
  const { body: on } = await panel.ok('POST', '/api/auth/2fa/verify', {
    bearer: person.token,
    body: { token: await previousTotp(setup.secret) },
  })
  const { body: pendingSetup } = await panel.ok('GET', '/api/auth/2fa/setup', { bearer: plain.token })
  const tempToken = await panel.tempToken(person)
  await panel.ok('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
  const emailCode = mailedCode(await mail.take(person.email, /\d{6}/))
  await panel.ok('POST', '/api/auth/password-reset/request', { body: { email: person.email } })
  const resetToken = linkToken(await mail.take(person.email, resetLink))
  const { body: request } = await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: {} })
  const { body: pendingCreation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', {
    bearer: person.token,
    body: {},
  })
  const { body: pending } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'pending' } })
  const { body: started } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'approved' } })
  const asAdmin = { bearer: panel.admin.token }
  await panel.ok('POST', '/api/tunnel/device/approve', {
    ...asAdmin,
    body: { userCode: started.userCode, ownerId: person.id },
  })
  const { body: polled } = await panel.ok('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  const { body: unredeemed } = await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'unredeemed' } })
  await panel.ok('POST', '/api/tunnel/device/approve', { ...asAdmin, body: { userCode: unredeemed.userCode } })

  const values = await dump(postgres.url)
  const all = values.map(({ value }) => value)
  t.ok(all.includes(person.email) && all.includes(person.id), 'the dump has the people')
  t.ok(values.length < maxValues, `${values.length} values`)
  const tables = new Set(values.map(({ column }) => column.split('.')[0]))
  t.comment(`${values.length} values of ${[...tables].sort().join(', ')}`)

  await t.test('no secret is in it', (t) => {
    const secrets: Record<string, string> = {
      'session token': person.token,
      'signature of the session token': person.token.split('.')[2] ?? '',
      'API key': key,
      'administrator’s key': adminKey,
      'TOTP secret': setup.secret,
      'TOTP secret of a set-up': pendingSetup.secret,
      'temporary token': tempToken,
      'reset token': resetToken,
      'challenge to sign in': request.challenge,
      'challenge for a passkey': pendingCreation.challenge,
      'device code': pending.deviceCode,
      'device code of an approved device': unredeemed.deviceCode,
      'device token': polled.token,
      'signature of the device token': polled.token.split('.')[2],
      password: person.password,
      ...Object.fromEntries(on.recoveryCodes.map((code: string, index: number) => [`recovery code ${index}`, code])),
    }
    for (const [name, secret] of Object.entries(secrets)) {
      const forms = [
        secret,
        secret.replaceAll('-', ''),
        secret.toLowerCase(),
        Buffer.from(secret, 'base64url').toString('latin1'),
      ]
      const found = values.filter(({ value }) => forms.some((form) => form.length > 8 && value.includes(form)))
      t.same(
        found.map(({ column }) => column),
        [],
        name,
      )
    }
    t.notOk(all.includes(emailCode), 'code by mail')
    t.end()
  })

  /** Sends every value that `fits` and says which are answered otherwise than as wrong. */
  const replay = async (
    fits: (value: string) => boolean,
    attempt: (value: string) => Promise<Reply>,
    wrong: number[],
  ) => {
    const fitting = values.filter(({ value }) => fits(value))
    const worked: string[] = []
    await inParallel(fitting.length, width, async (index) => {
      const { column, value } = fitting[index] as DumpedValue
      const { status } = await attempt(value)
      if (!wrong.includes(status)) worked.push(`${column} ${value.slice(0, 40)}: ${status}`)
    })
    return { worked, count: fitting.length }
  }
  const assertion = (challenge: string) =>
    post('/api/auth/passkey/authenticate', { response: passkey.get({ challenge }) })
  const session = (carried: Carried) => send('GET', '/api/auth/session', carried)
  const slots: [
    name: string,
    fits: (value: string) => boolean,
    attempt: (value: string) => Promise<Reply>,
    wrong: number[],
  ][] = [
    ['Bearer', isHeader, (bearer) => session({ bearer }), [401]],
    ['cookie', (value) => value.length < 4_096, (value) => session({ cookie: encodeURIComponent(value) }), [401]],
    ['ApiKey', isHeader, (apiKey) => session({ apiKey }), [401]],
    ['X-Api-Key', isHeader, (xApiKey) => session({ xApiKey }), [401]],
    ['tempToken for mail', () => true, (value) => post('/api/auth/2fa/send-email', { tempToken: value }), [400, 401]],
    [
      'tempToken to verify',
      () => true,
      (value) => post('/api/auth/2fa/verify-login', { tempToken: value, token: totp(setup.secret) }),
      [400, 401],
    ],
    [
      'reset token',
      () => true,
      (token) => post('/api/auth/password-reset/confirm', { token, password: 'by a thief of the database' }),
      [400, 401, 410],
    ],
    ['passkey challenge', isBase64url, assertion, [400, 401]],
    [
      'device code',
      (value) => value.length < 1_000,
      (value) => send('GET', `/api/tunnel/device/poll?deviceCode=${encodeURIComponent(value)}`),
      [400, 401, 404, 410, 429],
    ],
  ]
  for (const [name, fits, attempt, wrong] of slots) {
    const { worked, count } = await replay(fits, attempt, wrong)
    t.same(worked, [], `${name}: ${count} values`)
  }

  // Where few tries are let through: what belongs there by its table, with people who have tries left.
  const of = (pattern: RegExp) => values.filter(({ column }) => pattern.test(column)).map(({ value }) => value)
  const passwords = of(/^auth_users\./).filter((value) => /argon2/.test(value) || value.length > 30)
  for (const password of passwords.slice(0, 9)) {
    const { status } = await post('/api/auth/login', { email: plain.email, password })
    t.equal(status, 401, 'a hash as password')
  }
  for (const [field, candidates] of [
    ['backupCode', of(/recovery/)],
    ['emailCode', of(/email_codes/)],
    ['token', of(/two_factor/)],
  ] as const) {
    t.ok(candidates.length > 0, `there are candidates for ${field}`)
    let tries = 0
    for (const candidate of candidates.slice(0, 200)) {
      const { status } = await post('/api/auth/2fa/verify-login', { tempToken, [field]: candidate })
      if (status === 401) tries += 1
      if (status !== 400 && status !== 401) t.equal(status, 429, `${field}: ${candidate}`)
      if (tries >= 3) break
    }
  }

  await t.test('what each slot is for works all the same', async (t) => {
    t.equal((await session({ bearer: person.token })).status, 200, 'session token')
    t.equal((await session({ cookie: person.token })).status, 200, 'cookie')
    t.equal((await session({ apiKey: key })).status, 200, 'API key')
    t.equal((await session({ xApiKey: adminKey })).status, 200, 'administrator’s key')
    t.equal((await assertion(request.challenge)).status, 200, 'challenge')
    t.equal((await post('/api/auth/2fa/send-email', { tempToken })).status, 200, 'temporary token')
    const confirm = { token: resetToken, password: 'by the owner of the address' }
    t.equal((await post('/api/auth/password-reset/confirm', confirm)).status, 200, 'reset token')
    const poll = await send('GET', `/api/tunnel/device/poll?deviceCode=${unredeemed.deviceCode}`)
    t.match(poll.body, { approved: true, token: String }, 'device code')
  })
})
