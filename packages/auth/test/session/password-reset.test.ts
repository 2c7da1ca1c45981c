import { Database, RateLimits } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { authErrors, directory, type Mail } from '../../dist/index.js'
import { createMailbox } from '../support/mailbox.js'
import { startPanel } from '../support/panel.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const publicUrl = 'https://panel.example/base'
const many = { points: 1_000 }

t.test('a new password by mail', async (t) => {
  const mailbox = createMailbox()
  const { kernel, call, audited } = await startPanel(t, {
    users: directory({ firstAdministrator: administrator }),
    publicUrl,
    mailer: mailbox.plugin,
    session: { attempts: { perAddress: many }, resetRequests: { perAddress: many } },
  })
  const signIn = (email: string, password: string) => call('POST', '/api/auth/login', { body: { email, password } })
  const admin = (await signIn(administrator.email, administrator.password)).body.token as string
  let users = 0
  const createUser = async (): Promise<{ id: string; email: string; password: string }> => {
    users += 1
    const user = { email: `User${users}@Example.org`, password: 'first password' }
    const { status, body } = await call('POST', '/api/users', { token: admin, body: user })
    t.equal(status, 201)
    return { ...user, id: body.id ?? body.user?.id }
  }
  const request = (email: string) => call('POST', '/api/auth/password-reset/request', { body: { email } })
  const confirm = (token: string, password: string) =>
    call('POST', '/api/auth/password-reset/confirm', { body: { token, password } })
  const tokenOf = ({ text }: Mail): string => /#token=([\w-]+)/.exec(text)?.[1] ?? ''
  const askFor = async (email: string): Promise<string> => {
    t.equal((await request(email)).status, 200)
    return tokenOf(await mailbox.take(email))
  }
  const rows = (sql: string): Promise<Record<string, unknown>[]> =>
    kernel.get(Database).sequelize.query(sql, { type: QueryTypes.SELECT })

  t.test('the link starts with the public URL and carries its token where no server sees it', async (t) => {
    const user = await createUser()
    const { status, body, headers, cookies } = await request(user.email.toUpperCase())
    t.equal(status, 200)
    t.same(body, { success: true })
    t.same(cookies, [])
    t.notOk(headers['location'])
    const mail = await mailbox.take(user.email)
    const link = /https?:\S+#\S+/.exec(mail.text)?.[0] ?? ''
    t.ok(link.startsWith(`${publicUrl}/reset-password#token=`), link)
    t.match(tokenOf(mail), /^[\w-]{43}$/)
    const [row] = await rows("SELECT * FROM auth_one_time_tokens WHERE purpose = 'password-reset'")
    t.notOk(JSON.stringify(row).includes(tokenOf(mail)), 'the database does not hold it')
    const minutes = ((row?.['expires_at'] as Date).getTime() - Date.now()) / 60_000
    t.ok(minutes > 29 && minutes <= 30, String(minutes))
  })

  t.test('sets the password once, ends every session and tells the owner', async (t) => {
    const user = await createUser()
    const [one, other] = [await signIn(user.email, user.password), await signIn(user.email, user.password)]
    const token = await askFor(user.email)
    const confirmed = await confirm(token, 'second password')
    t.equal(confirmed.status, 200)
    t.same(confirmed.body, { success: true })
    for (const { body } of [one, other]) {
      t.equal((await call('GET', '/api/auth/session', { token: body.token })).status, 401)
    }
    t.equal((await signIn(user.email, user.password)).status, 401)
    t.equal((await signIn(user.email, 'second password')).status, 200)
    const again = await confirm(token, 'third password')
    t.equal(again.status, 401)
    t.equal(again.body.error, 'invalid_credentials')
    const told = await mailbox.take(user.email)
    t.match(told.subject, /changed/)
    t.notOk(told.text.includes('second password'))
    for (const action of ['password.reset-requested', 'password.reset']) {
      const record = audited.find((entry) => entry.action === action && entry.target?.id === user.id)
      t.match(record, { ip: /127\.0\.0\.1|::1/, requestId: /./ }, action)
    }
    for (const secret of [token, 'second password']) t.notOk(JSON.stringify(audited).includes(secret))
  })

  t.test('a password that is refused leaves the token in force', async (t) => {
    const user = await createUser()
    const token = await askFor(user.email)
    const short = await confirm(token, 'short')
    t.equal(short.status, 400)
    t.equal(short.body.errors[0].path, '/password')
    t.equal((await confirm(token, 'long enough')).status, 200)
  })

  t.test('a new link ends the one before, and what is no token is refused alike', async (t) => {
    const user = await createUser()
    const [first, second] = [await askFor(user.email), await askFor(user.email)]
    const expired = await askFor((await createUser()).email)
    await rows(`UPDATE auth_one_time_tokens SET expires_at = now() - interval '1 second'
      WHERE subject = (SELECT id::text FROM auth_users ORDER BY created_at DESC LIMIT 1)`)
    const forms: unknown[] = []
    for (const token of [first, expired, 'x', 'x'.repeat(43), `${second}x`, ' ', '%00', second.toLowerCase()]) {
      const { status, body } = await confirm(token, 'another password')
      t.equal(status, 401, token)
      const { requestId, ...form } = body
      t.ok(requestId)
      forms.push(form)
    }
    for (const form of forms) t.same(form, forms[0])
    t.equal((await confirm(second, 'another password')).status, 200)
  })

  t.test('a token is void when its user has changed since', async (t) => {
    const patch = (id: string, body: unknown) => call('PATCH', `/api/users/${id}`, { token: admin, body })
    const changes: Readonly<
      Record<string, (user: { id: string; email: string; password: string }) => Promise<unknown>>
    > = {
      'another e-mail': ({ id }) => patch(id, { email: `moved-${id}@example.org` }),
      'another password by an administrator': ({ id }) => patch(id, { password: 'set by somebody' }),
      'another password by its owner': async ({ email, password }) => {
        const { token } = (await signIn(email, password)).body
        const body = { currentPassword: password, newPassword: 'changed meanwhile' }
        return call('POST', '/api/auth/password', { token, body })
      },
      suspended: ({ id }) => patch(id, { suspended: true }),
      'suspended for a while': async ({ id }) => {
        await patch(id, { suspended: true })
        return patch(id, { suspended: false })
      },
      gone: ({ id }) => call('DELETE', `/api/users/${id}`, { token: admin }),
    }
    for (const [name, change] of Object.entries(changes)) {
      const user = await createUser()
      const token = await askFor(user.email)
      await change(user)
      t.equal((await confirm(token, 'by the old link')).status, 401, name)
      t.equal((await signIn(user.email, 'by the old link')).status, 401, name)
    }
  })

  t.test('the owner is told of a password changed in a session, too', async (t) => {
    const user = await createUser()
    const { token } = (await signIn(user.email, user.password)).body
    const body = { currentPassword: user.password, newPassword: 'another password' }
    t.equal((await call('POST', '/api/auth/password', { token, body })).status, 200)
    t.match((await mailbox.take(user.email)).subject, /changed/)
  })

  t.test('who has locked themselves out is let in after it', async (t) => {
    const user = await createUser()
    const token = await askFor(user.email)
    for (let round = 0; round < 10; round += 1) t.equal((await signIn(user.email, 'wrong')).status, 401)
    t.equal((await signIn(user.email, user.password)).status, 429)
    t.equal((await confirm(token, 'second password')).status, 200)
    t.equal((await signIn(user.email, 'second password')).status, 200)
  })

  t.test('known, unknown and suspended get one answer, and the unknown no mail', async (t) => {
    const [known, suspended] = [await createUser(), await createUser()]
    await call('PATCH', `/api/users/${suspended.id}`, { token: admin, body: { suspended: true } })
    const answers = []
    for (const email of [suspended.email, 'nobody@example.org', known.email]) answers.push(await request(email))
    await mailbox.take(known.email)
    t.notOk(mailbox.mails.some(({ to }) => to === suspended.email || to === 'nobody@example.org'))
    for (const { status, headers, body } of answers) {
      t.equal(status, 200)
      t.same(body, { success: true })
      const { 'x-request-id': id, date, ...others } = headers
      t.ok(id && date)
      const { 'x-request-id': _, date: __, ...first } = answers[0]?.headers ?? {}
      t.same(others, first)
    }
  })

  t.test('too many requests are refused alike, whoever exists', async (t) => {
    const { email } = await createUser()
    const answers: Record<string, unknown[]> = {}
    for (const address of [email, 'nobody-at-all@example.org']) {
      for (let round = 0; round < 5; round += 1) t.equal((await request(address)).status, 200)
      const { status, body, headers } = await request(address.toUpperCase())
      t.equal(status, 429)
      const seconds = Number(headers['retry-after'])
      t.ok(seconds > 3_500 && seconds <= 3_600, String(seconds))
      answers[address] = [body.error, body.detail, Object.keys(headers)]
    }
    const [first, second] = Object.values(answers)
    t.same(first, second)
  })

  t.test('a field that is not what it must be is named', async (t) => {
    const bodies: Readonly<Record<string, Record<string, unknown>>> = {
      request: { email: 'someone@example.org' },
      confirm: { token: 'x'.repeat(43), password: 'long enough' },
    }
    for (const [name, body] of Object.entries(bodies)) {
      const path = `/api/auth/password-reset/${name}`
      for (const field of Object.keys(body)) {
        for (const value of [[], {}, null, true, 1, '', 'x'.repeat(1_000_000), undefined, 'a\u0000']) {
          const answer = await call('POST', path, { body: { ...body, [field]: value } })
          t.equal(answer.status, 400, `${path} ${field} ${JSON.stringify(value)?.slice(0, 20)}`)
          t.equal(answer.body.errors[0].path, `/${field}`)
        }
      }
      t.equal((await call('POST', path, { body: { ...body, admin: true } })).status, 400, 'unknown field')
      t.equal((await call('POST', path)).status, 400, 'no body')
    }
  })
})

t.test('counts requests for a new password per address, too', async (t) => {
  const mailbox = createMailbox()
  const { call, kernel } = await startPanel(t, {
    users: directory({ firstAdministrator: administrator }),
    mailer: mailbox.plugin,
    session: { resetRequests: { perAddress: { points: 3 } } },
  })
  t.ok(kernel.get(RateLimits))
  const statuses: number[] = []
  for (let round = 0; round < 4; round += 1) {
    const headers = { 'x-forwarded-for': `192.0.2.${round}` }
    const body = { email: `user${round}@example.org` }
    statuses.push((await call('POST', '/api/auth/password-reset/request', { body, headers })).status)
  }
  t.same(statuses, [200, 200, 200, 429])
})

t.test('a host that keeps passwords to itself has no such routes', async (t) => {
  const { call } = await startPanel(t, {
    users: {
      findById: async () => undefined,
      findByEmail: async () => undefined,
      verifyPassword: async () => undefined,
      onChange: () => () => undefined,
    },
  })
  for (const route of ['request', 'confirm']) {
    t.equal((await call('POST', `/api/auth/password-reset/${route}`, { body: {} })).status, 404)
  }
})

t.test('a panel that has too much to do leaves the token in force', async (t) => {
  const mailbox = createMailbox()
  const user = { id: '7', email: 'ada@localhost', name: null, permissions: [], memberships: [], suspended: false }
  let busy = true
  const { call } = await startPanel(t, {
    mailer: mailbox.plugin,
    users: {
      findById: async (id) => (id === user.id ? user : undefined),
      findByEmail: async () => user,
      verifyPassword: async () => undefined,
      changePassword: async () => {
        if (busy) throw authErrors.HASHING_BUSY(undefined, { retryAfter: 1 })
        return user
      },
      onChange: () => () => undefined,
    },
  })
  await call('POST', '/api/auth/password-reset/request', { body: { email: user.email } })
  const token = /#token=([\w-]+)/.exec((await mailbox.take(user.email)).text)?.[1]
  const confirm = async (): Promise<number> =>
    (await call('POST', '/api/auth/password-reset/confirm', { body: { token, password: 'second password' } })).status
  t.equal(await confirm(), 503)
  busy = false
  t.equal(await confirm(), 200)
  t.equal(await confirm(), 401)
})

t.test('a mail server that is away changes no answer, and no secret is logged', async (t) => {
  const { definePlugin } = await import('@sallyport/core')
  const { Mailer } = await import('../../dist/index.js')
  const { until } = await import('../support/until.js')
  const sent: Mail[] = []
  const broken = definePlugin({
    name: 'test.broken-mailer',
    version: '1.0.0',
    provides: { mailer: Mailer },
    setup: () => ({
      mailer: {
        async send(mail: Mail) {
          sent.push(mail)
          throw authErrors.MAIL_UNAVAILABLE()
        },
      },
    }),
  })
  const { call, log } = await startPanel(t, {
    users: directory({ firstAdministrator: administrator }),
    mailer: broken(),
  })
  const { status } = await call('POST', '/api/auth/password-reset/request', { body: { email: administrator.email } })
  t.equal(status, 200)
  await until('the failure to be logged', () => /sending the link for a new password failed/.test(log.text))
  const token = /#token=([\w-]+)/.exec(sent[0]?.text ?? '')?.[1] ?? ''
  t.equal(token.length, 43)
  t.notOk(log.text.includes(token))
})
