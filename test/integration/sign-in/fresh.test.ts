// What is delicate, in a session whose owner proved who they are longer ago than ten minutes.
import pg from 'pg'
import t from 'tap'
import { until } from '../../support/deadline.js'
import { postgresServer, withoutPostgres } from '../../support/real-servers.js'
import { type Person, startSignInPanel } from '../../support/sign-in-panel.js'
import { softwarePasskey } from '../../support/software-passkey.js'
import { totp } from '../../support/totp.js'

t.test('delicate actions need a fresh sign-in', { skip: withoutPostgres }, async (t) => {
  const postgres = await postgresServer(t)
  const panel = await startSignInPanel(t, { DATABASE_URL: postgres.url })
  const client = new pg.Client(postgres.url)
  await client.connect()
  t.teardown(() => client.end())

  /** Puts the sign-in of all sessions back in time. */
  const age = async (person: Person, minutes: number) => {
    const { body } = await panel.ok('GET', '/api/auth/session', { bearer: person.token })
    const columns = await client.query(
      `SELECT column_name FROM information_schema.columns WHERE table_name = 'auth_sessions' AND column_name LIKE '%authenticated%'`,
    )
    const [{ column_name: column }] = columns.rows
    await client.query(`UPDATE auth_sessions SET "${column}" = now() - make_interval(mins => $2) WHERE id = $1`, [
      body.session.id,
      minutes,
    ])
    // What was read before may be known for a second.
    await until('the age', async () => {
      const { body: now } = await panel.ok('GET', '/api/auth/session', { bearer: person.token })
      const seconds = (Date.now() - Date.parse(now.session.authenticatedAt)) / 1000
      const probe = await panel.send('GET', '/api/auth/2fa/setup', { bearer: person.token })
      return seconds > (minutes - 1) * 60 && minutes < 10 === (probe.status === 200)
    })
  }

  const person = await panel.newPerson(['users:write', '*'])
  const { id: keyId } = await panel.newKey(person)
  const passkey = softwarePasskey(panel.origin)
  const { body: creation } = await panel.ok('POST', '/api/auth/passkey/register-challenge', {
    bearer: person.token,
    body: {},
  })
  const made = await panel.ok('POST', '/api/auth/passkey/register', {
    bearer: person.token,
    body: { response: passkey.create(creation) },
  })
  const { body: pending } = await panel.ok('POST', '/api/auth/passkey/register-challenge', {
    bearer: person.token,
    body: {},
  })
  const { body: setup } = await panel.ok('GET', '/api/auth/2fa/setup', { bearer: person.token })
  const passkeyPath = `/api/auth/passkeys/${made.body.passkey.id}`

  const delicate: [method: string, path: string, body?: object][] = [
    ['GET', '/api/auth/2fa/setup'],
    ['POST', '/api/auth/2fa/verify', { token: totp(setup.secret) }],
    ['GET', '/api/auth/passkey/register-challenge'],
    ['POST', '/api/auth/passkey/register-challenge', {}],
    ['POST', '/api/auth/passkey/register', { response: softwarePasskey(panel.origin).create(pending) }],
    ['DELETE', passkeyPath],
    ['POST', '/api/apikeys', { name: 'x', type: 'client', permissions: [] }],
    ['POST', `/api/apikeys/${keyId}/rotate`],
    ['DELETE', `/api/apikeys/${keyId}`],
    ['PATCH', `/api/users/${person.id}`, { email: 'changed-by-a-thief@example.com' }],
    ['DELETE', `/api/users/${person.id}/2fa`],
  ]
  const statuses = async (bearer: string) => {
    const answers: Record<string, string> = {}
    for (const [method, path, body] of delicate) {
      const reply = await panel.send(method, path, { ip: panel.newIp(), bearer, body })
      answers[`${method} ${path}`] = `${reply.status} ${reply.body?.error ?? ''}`
    }
    return answers
  }
  const all = (answer: string) => Object.fromEntries(delicate.map(([method, path]) => [`${method} ${path}`, answer]))

  await age(person, 11)
  t.same(await statuses(person.token), all('403 reauthentication_required'), 'after eleven minutes')
  const { body: own } = await panel.ok('GET', '/api/auth/session', { bearer: person.token })
  t.equal(own.user.email, person.email, 'nothing has changed')
  const { body: passkeys } = await panel.ok('GET', '/api/auth/passkeys', { bearer: person.token })
  t.equal(passkeys.passkeys.length, 1)

  const reauthenticate = (body: object) =>
    panel.send('POST', '/api/auth/reauthenticate', { bearer: person.token, body })
  t.equal((await reauthenticate({ password: 'wrong password' })).status, 401)
  t.equal((await panel.send('GET', '/api/auth/2fa/setup', { bearer: person.token })).status, 403, 'a wrong password')
  t.equal((await reauthenticate({ password: person.password })).status, 200)
  t.equal(
    (await panel.send('GET', '/api/auth/2fa/setup', { bearer: person.token })).status,
    200,
    'the right one, at once',
  )

  await age(person, 11)
  const { body: request } = await panel.ok('POST', '/api/auth/passkey/authenticate-challenge', { body: {} })
  t.equal((await reauthenticate({ response: passkey.get(request) })).status, 200, 'one’s own passkey')
  t.equal((await panel.send('GET', '/api/auth/2fa/setup', { bearer: person.token })).status, 200)
  await age(person, 9)
  t.equal((await panel.send('GET', '/api/auth/2fa/setup', { bearer: person.token })).status, 200, 'after nine minutes')
})
