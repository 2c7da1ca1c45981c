// What is redeemed once: 50 at the same moment, from two processes on one database, and exactly one wins.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { linkToken, type MailSink, mailedCode, mailSink, resetLink } from '../../support/mail-sink.js'
import { inParallel, tally } from '../../support/parallel.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import { type SignInPanel, startTwoPanels, type TwoFactorPerson } from '../../support/sign-in-panel.js'
import { softwarePasskey } from '../../support/software-passkey.js'
import { totp } from '../../support/totp.js'

const count = 50
const verifyLogin = '/api/auth/2fa/verify-login'

let mail: MailSink
let panels: readonly [SignInPanel, SignInPanel]
let panel: SignInPanel

/** Sends all of them at the same moment, by turns to the two panels, each from another address. */
function race(path: string, carried: (index: number) => Carried, length = count): Promise<Reply[]> {
  return Promise.all(
    Array.from({ length }, (_, index) => {
      const at = panels[index % 2] as SignInPanel
      return at.send('POST', path, { ip: panel.newIp(), ...carried(index) })
    }),
  )
}

/** Exactly one success, refusals else, and no fault. */
function oneWins(t: Test, replies: readonly Reply[]): void {
  const statuses = replies.map(({ status }) => status)
  t.equal(statuses.filter((status) => status < 300).length, 1, JSON.stringify(tally(statuses)))
  t.ok(
    statuses.every((status) => [200, 400, 401, 403, 409, 410, 429].includes(status)),
    'no fault',
  )
}

const tempTokens = (person: TwoFactorPerson): Promise<string[]> => inParallel(count, 4, () => panel.tempToken(person))

t.test('two panels', { skip: withoutPostgres || withoutRedis }, async (t) => {
  mail = await mailSink(t)
  ;({ panels } = await startTwoPanels(t, { SMTP_URL: mail.url }))
  panel = panels[0]

  await t.test('one TOTP code, each with a temporary token of its own', async (t) => {
    const person = await panel.newTwoFactorPerson()
    const tokens = await tempTokens(person)
    const token = totp(person.secret)
    oneWins(t, await race(verifyLogin, (index) => ({ body: { tempToken: tokens[index], token } })))
    const late = { body: { tempToken: await panel.tempToken(person), token } }
    t.match((await panel.send('POST', verifyLogin, late)).status, /^4(01|29)$/, 'nor later')
  })

  await t.test('the TOTP code that turned the second factor on', async (t) => {
    const person = await panel.newPerson()
    const { body: setup } = await panel.ok('GET', '/api/auth/2fa/setup', { bearer: person.token })
    const token = totp(setup.secret)
    // So few that the throttle, which counts them too, leaves room for what comes after.
    const replies = await race('/api/auth/2fa/verify', () => ({ bearer: person.token, body: { token } }), 4)
    oneWins(t, replies)
    const tempToken = await panel.tempToken(person)
    t.equal((await panel.send('POST', verifyLogin, { body: { tempToken, token } })).status, 401, 'it signs nobody in')
    const [winner] = replies.filter(({ status }) => status === 200)
    const body = { tempToken, backupCode: winner?.body.recoveryCodes[9] }
    t.equal((await panel.send('POST', verifyLogin, { body })).status, 200, 'the winner’s recovery codes are the ones')
  })

  await t.test('one recovery code, each with a temporary token of its own', async (t) => {
    const person = await panel.newTwoFactorPerson()
    const tokens = await tempTokens(person)
    const [backupCode] = person.recoveryCodes
    oneWins(t, await race(verifyLogin, (index) => ({ body: { tempToken: tokens[index], backupCode } })))
    const tempToken = await panel.tempToken(person)
    const late = { body: { tempToken, backupCode: backupCode?.toLowerCase() } }
    t.match((await panel.send('POST', verifyLogin, late)).status, /^4(01|29)$/, 'nor later, in another spelling')
  })

  await t.test('one temporary token, each with a code that is right', async (t) => {
    const person = await panel.newTwoFactorPerson()
    const tempToken = await panel.tempToken(person)
    const codes = [{ token: totp(person.secret) }, ...person.recoveryCodes.map((backupCode) => ({ backupCode }))]
    oneWins(t, await race(verifyLogin, (index) => ({ body: { tempToken, ...codes[index % codes.length] } })))
    const late = { body: { tempToken, token: totp(person.secret, 1) } }
    t.match((await panel.send('POST', verifyLogin, late)).status, /^4(01|29)$/, 'nor later')
    const other = await panel.tempToken(person)
    const next = { body: { tempToken: other, backupCode: person.recoveryCodes[9] } }
    const { status } = await panel.send('POST', verifyLogin, next)
    t.match(status, /^(200|401|429)$/, 'whoever loses may have used a code up, and no more')
  })

  await t.test('one code by mail', async (t) => {
    const person = await panel.newTwoFactorPerson()
    const tempToken = await panel.tempToken(person)
    await panel.ok('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
    const emailCode = mailedCode(await mail.take(person.email, /\d{6}/))
    oneWins(t, await race(verifyLogin, () => ({ body: { tempToken, emailCode } })))
    const other = { body: { tempToken: await panel.tempToken(person), emailCode } }
    t.match((await panel.send('POST', verifyLogin, other)).status, /^4(01|29)$/, 'nor with another temporary token')
  })

  await t.test('one code by mail, of which another has been sent since', async (t) => {
    const person = await panel.newTwoFactorPerson()
    const tempToken = await panel.tempToken(person)
    const codes: string[] = []
    for (let index = 0; index < 2; index++) {
      await panel.ok('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
      codes.push(mailedCode(await mail.take(person.email, /\d{6}/)))
    }
    const [first, second] = codes
    if (first !== second) {
      const body = { tempToken, emailCode: first }
      t.equal((await panel.send('POST', verifyLogin, { body })).status, 401, 'the first has ended')
    }
    t.equal((await panel.send('POST', verifyLogin, { body: { tempToken, emailCode: second } })).status, 200)
  })

  await t.test('one link for a new password', async (t) => {
    const person = await panel.newPerson()
    await panel.ok('POST', '/api/auth/password-reset/request', { body: { email: person.email } })
    const token = linkToken(await mail.take(person.email, resetLink))
    const password = (index: number) => `new password number ${index}`
    const replies = await race('/api/auth/password-reset/confirm', (index) => ({
      body: { token, password: password(index) },
    }))
    oneWins(t, replies)
    const winner = replies.findIndex(({ status }) => status === 200)
    t.equal((await panel.login(person.email, password(winner))).status, 200, 'the winner’s password is in force')
    const late = await panel.send('POST', '/api/auth/password-reset/confirm', {
      body: { token, password: password(99) },
    })
    t.match(late.status, /^4(01|10)$/, 'nor later')
  })

  await t.test('of two links for a new password the later', async (t) => {
    const person = await panel.newPerson()
    const tokens: string[] = []
    for (let index = 0; index < 2; index++) {
      await panel.ok('POST', '/api/auth/password-reset/request', { body: { email: person.email } })
      tokens.push(linkToken(await mail.take(person.email, resetLink)))
    }
    const confirm = (token: string | undefined) =>
      panel.send('POST', '/api/auth/password-reset/confirm', { body: { token, password: 'another new password' } })
    t.match((await confirm(tokens[0])).status, /^4(01|10)$/)
    t.equal((await confirm(tokens[1])).status, 200)
  })

  await t.test('one challenge answered by one passkey, and one assertion again', async (t) => {
    const person = await panel.newPerson()
    const passkey = softwarePasskey(panel.origin)
    const { body: creation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', { bearer: person.token })
    const made = passkey.create(creation)
    const registrations = await race('/api/auth/passkey/register', () => ({
      bearer: person.token,
      headers: { origin: panel.origin },
      body: { response: made },
    }))
    oneWins(t, registrations)
    const { body } = await panel.ok('GET', '/api/auth/passkeys', { bearer: person.token })
    t.equal(body.passkeys.length, 1)

    const { body: request } = await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: {} })
    const same = passkey.get(request)
    oneWins(t, await race('/api/auth/passkey/authenticate', () => ({ body: { response: same } })))

    const { body: second } = await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: {} })
    const each = Array.from({ length: count }, () => passkey.get(second))
    oneWins(t, await race('/api/auth/passkey/authenticate', (index) => ({ body: { response: each[index] } })))
    const late = await panel.send('POST', '/api/auth/passkey/authenticate', { body: { response: passkey.get(second) } })
    t.equal(late.status, 401, 'nor later')
  })

  await t.test('one registration challenge answered by many new passkeys', async (t) => {
    const person = await panel.newPerson()
    const { body: creation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', { bearer: person.token })
    const made = Array.from({ length: count }, () => softwarePasskey(panel.origin).create(creation))
    const replies = await race('/api/auth/passkey/register', (index) => ({
      bearer: person.token,
      body: { response: made[index], name: `number ${index}` },
    }))
    oneWins(t, replies)
  })

  await t.test('one credential registered by two people at the same moment', async (t) => {
    const people = await inParallel(8, 4, () => panel.newPerson())
    const credential = randomBytes(32)
    const prepared = await inParallel(people.length, 4, async (index) => {
      const bearer = people[index]?.token ?? ''
      const { body: creation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', { bearer })
      return { bearer, body: { response: softwarePasskey(panel.origin, credential).create(creation) } }
    })
    const replies = await Promise.all(
      prepared.map((carried, index) =>
        (panels[index % 2] as SignInPanel).send('POST', '/api/auth/passkey/register', {
          ip: panel.newIp(),
          ...carried,
        }),
      ),
    )
    oneWins(t, replies)
  })

  await t.test('one e-mail address for a user', async (t) => {
    const bearer = panel.admin.token
    const body = { email: 'only-one@example.com', password: 'long enough a password' }
    const spelled = (index: number) => (index % 3 === 0 ? body.email.toUpperCase() : body.email)
    const replies = await race('/api/users', (index) => ({ bearer, body: { ...body, email: spelled(index) } }))
    const won = replies.filter(({ status }) => status === 201)
    t.equal(won.length, 1, JSON.stringify(tally(replies.map(({ status }) => status))))
  })

  await t.test('a rotated key: one new one', async (t) => {
    const person = await panel.newPerson()
    const { id, key } = await panel.newKey(person)
    const replies = await race(`/api/apikeys/${id}/rotate`, () => ({ bearer: person.token }))
    const made = replies.filter(({ status }) => status === 200).map(({ body }) => body.apiKey as string)
    t.ok(made.length >= 1)
    const session = async (apiKey: string) => (await panel.send('GET', '/api/auth/session', { apiKey })).status
    const alive = await inParallel(made.length, 4, (index) => session(made[index] ?? ''))
    t.equal(alive.filter((status) => status === 200).length, 1, 'one key is in force')
    t.equal(await session(key), 401, 'the old one is dead')
  })

  await t.test('the keys that one user may have: the cap holds against 50 at the same moment', async (t) => {
    const person = await panel.newPerson()
    const make = (index: number): Carried => ({
      bearer: person.token,
      body: { name: `number ${index}`, type: 'client', permissions: [] },
    })
    let made = 0
    let refused = 0
    for (let round = 0; round < 3; round++) {
      const replies = await race('/api/apikeys', make)
      made += replies.filter(({ status }) => status === 201).length
      refused += replies.filter(({ status }) => status === 409 || status === 403).length
    }
    t.ok(refused > 0, 'there is a cap')
    const { body } = await panel.ok('GET', '/api/apikeys/my', { bearer: person.token })
    t.equal(body.apiKeys.length, made, 'as many as were given')
    const again = await panel.send('POST', '/api/apikeys', make(999))
    t.not(again.status, 201, 'no more')
    const other = await panel.newPerson()
    const theirs = await panel.send('POST', '/api/apikeys', { ...make(0), bearer: other.token })
    t.equal(theirs.status, 201, 'another’s cap is another’s')
  })
})
