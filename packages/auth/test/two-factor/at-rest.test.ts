import t from 'tap'
import { createMailbox } from '../support/mailbox.js'
import { createApp, enrol, sql, startTwoFactorPanel, tempTokenOf, userMaker, verifyLogin } from './support.js'

const tables = [
  'auth_two_factor',
  'auth_two_factor_setups',
  'auth_two_factor_recovery_codes',
  'auth_two_factor_email_codes',
  'auth_one_time_tokens',
]

t.test('what the database holds signs nobody in', async (t) => {
  const mailbox = createMailbox()
  const panel = await startTwoFactorPanel(t, { mailer: mailbox.plugin })
  const { call } = panel
  const user = await enrol(call, await userMaker(panel)())
  const pending = createApp((await call('GET', '/api/auth/2fa/setup', { token: user.token })).body.secret)
  const tempToken = await tempTokenOf(call, user)
  await call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
  const emailCode = /\b\d{6}\b/.exec((await mailbox.take(user.email)).text)?.[0] as string

  const values = new Set<string>()
  for (const table of tables) {
    const rows = await sql(panel, `SELECT * FROM ${table}`)
    t.ok(rows.length > 0, table)
    for (const row of rows) for (const value of Object.values(row)) values.add(toText(value))
  }

  const dump = [...values].join('\n')
  const plain = (code: string): string => code.replaceAll('-', '')
  const secrets = [user.app.secret, pending.secret, tempToken, ...user.recoveryCodes, ...user.recoveryCodes.map(plain)]
  for (const secret of secrets) t.notOk(dump.includes(secret), 'no secret is there as it is')
  for (const { secret } of [user.app, pending]) {
    t.notOk(dump.includes(Buffer.from(secret).toString('base64url')))
    t.notOk(dump.includes(Buffer.from(secret).toString('hex')))
  }
  t.notOk([...values].includes(emailCode))

  for (const value of values) {
    const body: Record<string, unknown>[] = [
      { tempToken: value, token: user.app.wrong() },
      { tempToken, backupCode: value },
      { tempToken, token: value },
      { tempToken, emailCode: value },
    ]
    for (const one of body) {
      const { status } = await verifyLogin(call, one)
      t.ok(status === 401 || status === 400, `${JSON.stringify(one).slice(0, 120)}: ${status}`)
    }
    const bearer = await call('GET', '/api/auth/session', { headers: { authorization: `Bearer ${value}` } })
    t.not(bearer.status, 200)
  }
  t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200)
})

t.test("a secret moved to another's row opens nothing", async (t) => {
  const panel = await startTwoFactorPanel(t)
  const { call } = panel
  const makeUser = userMaker(panel)
  const [ada, eve] = [await enrol(call, await makeUser()), await enrol(call, await makeUser())]
  await sql(
    panel,
    `UPDATE auth_two_factor SET secret = (SELECT secret FROM auth_two_factor WHERE user_id = '${eve.id}')
     WHERE user_id = '${ada.id}' RETURNING id`,
  )
  const tempToken = await tempTokenOf(call, ada)
  t.equal((await verifyLogin(call, { tempToken, token: await eve.app.next() })).status, 401)
  t.equal((await verifyLogin(call, { tempToken, token: await ada.app.next() })).status, 401)
  t.equal(
    (await verifyLogin(call, { tempToken, backupCode: ada.recoveryCodes[0] })).status,
    200,
    'there is another way',
  )
})

function toText(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
