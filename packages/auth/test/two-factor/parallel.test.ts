import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t, { type Test } from 'tap'
import type { Answer, Call } from '../support/client.js'
import { createMailbox } from '../support/mailbox.js'
import { startPanelProcess } from '../support/panel-process.js'
import {
  createApp,
  enrol,
  generous,
  login,
  sql,
  startTwoFactorPanel,
  tempTokenOf,
  userMaker,
  verifyLogin,
} from './support.js'

const times = 50
const loginsAtOnce = 4

t.test('two processes, one database', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  const mailbox = createMailbox()
  const databaseUrl = postgres.url
  const panel = await startTwoFactorPanel(t, { databaseUrl, mailer: mailbox.plugin })
  const other = await startPanelProcess(t, {
    databaseUrl,
    session: { attempts: generous },
    strategies: { twoFactor: { attempts: generous } },
  })
  const { call } = panel
  const makeUser = userMaker(panel)

  /** Does it so often at once, by turns in the one process and in the other. */
  const everywhere = (work: (call: Call, n: number) => Promise<Answer>): Promise<readonly Answer[]> =>
    Promise.all(Array.from({ length: times }, (_, n) => work(n % 2 === 0 ? call : other.call, n)))
  const count = (answers: readonly Answer[], status: number): number =>
    answers.filter((answer) => answer.status === status).length
  const tempTokensOf = async (user: Parameters<typeof login>[1]): Promise<readonly string[]> => {
    const tokens: string[] = []
    let left = times
    const worker = async (): Promise<void> => {
      while (left-- > 0) tokens.push(await tempTokenOf(call, user))
    }
    await Promise.all(Array.from({ length: loginsAtOnce }, worker))
    return tokens
  }
  const sessionsOf = async (userId: string): Promise<number> => {
    const [row] = await sql(panel, `SELECT count(*)::int AS count FROM auth_sessions WHERE user_id = '${userId}'`)
    return Number(row?.['count'])
  }
  const expectOne = async (
    t: Test,
    userId: string,
    work: (call: Call, n: number) => Promise<Answer>,
  ): Promise<void> => {
    const before = await sessionsOf(userId)
    const answers = await everywhere(work)
    t.equal(count(answers, 200), 1, 'one wins')
    t.equal(count(answers, 401), times - 1, 'all others are refused')
    t.equal((await sessionsOf(userId)) - before, 1, 'one session')
  }

  await t.test('one code of the app, with a tempToken for each', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempTokens = await tempTokensOf(user)
    const token = await user.app.next()
    await expectOne(t, user.id, (at, n) => verifyLogin(at, { tempToken: tempTokens[n], token }))
  })

  await t.test('one recovery code, with a tempToken for each', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempTokens = await tempTokensOf(user)
    const backupCode = user.recoveryCodes[0]
    await expectOne(t, user.id, (at, n) => verifyLogin(at, { tempToken: tempTokens[n], backupCode }))
    const { body } = await call('GET', '/api/auth/2fa', { token: user.token })
    t.equal(body.recoveryCodesLeft, 9)
  })

  await t.test('one tempToken, with codes that are all right', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    await call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
    const emailCode = /\b\d{6}\b/.exec((await mailbox.take(user.email)).text)?.[0]
    const codes = [
      { token: await user.app.next() },
      { emailCode },
      ...user.recoveryCodes.map((backupCode) => ({ backupCode })),
    ]
    await expectOne(t, user.id, (at, n) => verifyLogin(at, { tempToken, ...codes[n % codes.length] }))
    const { body } = await call('GET', '/api/auth/2fa', { token: user.token })
    t.ok(body.recoveryCodesLeft >= 9, 'the codes of those that were refused are not used up')
  })

  await t.test('one code by mail', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    await call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
    const emailCode = /\b\d{6}\b/.exec((await mailbox.take(user.email)).text)?.[0]
    await expectOne(t, user.id, (at) => verifyLogin(at, { tempToken, emailCode }))
  })

  await t.test('of many guesses at once five are looked at', async (t) => {
    const user = await enrol(call, await makeUser())
    const tempToken = await tempTokenOf(call, user)
    await call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
    const emailCode = /\b\d{6}\b/.exec((await mailbox.take(user.email)).text)?.[0] as string
    const guess = (n: number): string => String((Number(emailCode) + 1 + n) % 1_000_000).padStart(6, '0')
    const answers = await everywhere((at, n) => verifyLogin(at, { tempToken, emailCode: guess(n) }))
    t.equal(count(answers, 401), times)
    const [row] = await sql(panel, `SELECT tries FROM auth_two_factor_email_codes WHERE user_id = '${user.id}'`)
    t.equal(row?.['tries'], 5)
    t.equal((await verifyLogin(call, { tempToken, emailCode })).status, 401)
  })

  await t.test('one set-up', async (t) => {
    const user = await makeUser()
    const { token } = (await login(call, user)).body
    const app = createApp((await call('GET', '/api/auth/2fa/setup', { token })).body.secret)
    const code = await app.next()
    const answers = await everywhere((at) => at('POST', '/api/auth/2fa/verify', { token, body: { token: code } }))
    t.equal(count(answers, 200), 1)
    // Who comes late finds no set-up, or a session that has yet to show the second factor that is now on.
    t.equal(count(answers, 409) + count(answers, 403), times - 1)
    const winner = answers.find(({ status }) => status === 200)
    const tempToken = await tempTokenOf(call, user)
    const backupCode = winner?.body.recoveryCodes[9]
    t.equal((await verifyLogin(call, { tempToken, backupCode })).status, 200, 'its recovery codes are those in force')
  })

  await t.test('one code, to prove again who one is and to get new recovery codes', async (t) => {
    const user = await enrol(call, await makeUser())
    const { token } = user
    const body = { token: await user.app.next() }
    const answers = await everywhere((at, n) =>
      at('POST', n % 4 < 2 ? '/api/auth/reauthenticate' : '/api/auth/2fa/recovery-codes', { token, body }),
    )
    t.equal(count(answers, 200), 1)
    t.equal(count(answers, 401), times - 1)
  })

  await t.test('everything at once harms nothing', async (t) => {
    const user = await enrol(call, await makeUser())
    const { token } = user
    const tempToken = await tempTokenOf(call, user)
    const next = createApp((await call('GET', '/api/auth/2fa/setup', { token })).body.secret)
    const codes = { mine: await user.app.next(), other: await user.app.next(), next: await next.next() }
    const [first, ...rest] = user.recoveryCodes
    const work: ((at: Call, n: number) => Promise<Answer>)[] = [
      (at) => at('POST', '/api/auth/2fa/recovery-codes', { token, body: { token: codes.mine } }),
      (at) => at('POST', '/api/auth/2fa/verify', { token, body: { token: codes.next } }),
      (at) => at('POST', '/api/auth/2fa/disable', { token, body: { backupCode: first } }),
      (at) => at('POST', '/api/auth/2fa/disable', { token, body: { token: codes.other } }),
      (at, n) => verifyLogin(at, { tempToken, backupCode: rest[n % rest.length] }),
      (at) => at('GET', '/api/auth/2fa/setup', { token }),
    ]
    const answers = await everywhere((at, n) => (work[n % work.length] as (typeof work)[number])(at, n))
    const faults = answers.filter(({ status }) => status >= 500)
    t.same(
      faults.map(({ body }) => body),
      [],
    )
  })
})
