import t from 'tap'
import { directory } from '../../dist/index.js'
import type { Answer } from '../support/client.js'
import { startPanel } from '../support/panel.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const many = { points: 1_000 }

/** What of an answer may not tell accounts apart: all but when it was given and its number. */
function form({ status, headers, cookies, body }: Answer): unknown {
  const { date, 'x-request-id': id, 'retry-after': retry, ...others } = headers
  const { requestId, ...rest } = body
  return { status, headers: others, cookies, body: rest, has: [typeof date, typeof id, typeof retry, typeof requestId] }
}

t.test('refusals of signing in', async (t) => {
  const { call, audited } = await startPanel(t, {
    users: directory({ firstAdministrator: administrator }),
    session: { attempts: { perAccount: { points: 6 }, perAddress: many } },
  })
  const signIn = (email: string, password: string) => call('POST', '/api/auth/login', { body: { email, password } })
  const { token } = (await signIn(administrator.email, administrator.password)).body
  for (const name of ['wrong', 'suspended']) {
    const body = { email: `${name}@example.org`, password: 'a password of theirs' }
    const { body: made } = await call('POST', '/api/users', { token, body })
    const id = made.id ?? made.user?.id
    if (name === 'suspended') await call('PATCH', `/api/users/${id}`, { token, body: { suspended: true } })
  }
  const accounts = [
    ['unknown@example.org', 'a password of theirs'],
    ['wrong@example.org', 'not their password'],
    ['suspended@example.org', 'a password of theirs'],
    ['suspended@example.org', 'not their password'],
  ] as const

  t.test('are alike, and leave at multiples of 100 ms', async (t) => {
    const refusals: Answer[] = []
    for (const [email, password] of accounts) {
      const before = audited.length
      const start = performance.now()
      refusals.push(await signIn(email, password))
      const took = performance.now() - start
      t.ok(took >= 100, `${email}: ${took} ms`)
      t.equal(audited.length, before + 1)
      t.match(audited.at(-1), { action: 'session.refused', data: { email, method: 'password' } })
    }
    t.equal(refusals[0]?.status, 401)
    for (const refusal of refusals) t.same(form(refusal), form(refusals[0] as Answer))
  })

  t.test('are throttled alike', async (t) => {
    const throttled: Answer[] = []
    for (const [email, password] of accounts.slice(0, 3)) {
      for (let round = 0; round < 6; round += 1) await signIn(email, password)
      throttled.push(await signIn(email, password))
    }
    t.equal(throttled[0]?.status, 429)
    for (const refusal of throttled) t.same(form(refusal), form(throttled[0] as Answer))
  })
})
