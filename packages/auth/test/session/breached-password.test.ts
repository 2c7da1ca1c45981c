import t from 'tap'
import { directory } from '../../dist/index.js'
import { createMailbox } from '../support/mailbox.js'
import { startPanel } from '../support/panel.js'

const email = 'admin@localhost'
const password = 'correct horse battery'

t.test("the host's check of breached passwords", async (t) => {
  const asked: string[] = []
  const mailbox = createMailbox()
  let aborted: Promise<void> | undefined
  const { call, log } = await startPanel(t, {
    users: directory({ firstAdministrator: { email, password } }),
    mailer: mailbox.plugin,
    isBreachedPassword: (given, signal) => {
      asked.push(given)
      if (given === 'throws at once') throw new Error('the list is away')
      if (given === 'rejects later') return Promise.reject(new Error('the list is away'))
      if (given === 'never answers') {
        aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
        return new Promise(() => undefined)
      }
      return given.startsWith('known from a breach')
    },
  })
  const { token } = (await call('POST', '/api/auth/login', { body: { email, password } })).body
  t.same(asked, [], 'not when signing in')
  const create = (name: string, secret: string) =>
    call('POST', '/api/users', { token, body: { email: `${name}@example.org`, password: secret } })

  t.test('refuses wherever a password is chosen, naming the field', async (t) => {
    t.equal((await call('POST', '/api/auth/password-reset/request', { body: { email } })).status, 200)
    const reset = /#token=([\w-]+)/.exec((await mailbox.take(email)).text)?.[1]
    const secret = 'known from a breach'
    const places: readonly [string, Record<string, unknown>, string, string | undefined][] = [
      ['/api/users', { email: 'x@example.org', password: secret }, '/password', token],
      ['/api/auth/password', { currentPassword: password, newPassword: secret }, '/newPassword', token],
      ['/api/auth/password-reset/confirm', { token: reset, password: secret }, '/password', undefined],
    ]
    for (const [path, body, field, credential] of places) {
      const answer = await call('POST', path, { token: credential, body })
      t.equal(answer.status, 400, path)
      t.equal(answer.body.errors[0].path, field)
      t.notOk(JSON.stringify(answer.body).includes(secret))
    }
  })

  t.test('is asked in NFKC', async (t) => {
    t.equal((await create('wide', 'ｋｎｏｗｎ from a breach')).status, 400)
    t.equal(asked.at(-1), 'known from a breach')
  })

  t.test('is not asked about what is too short', async (t) => {
    const before = asked.length
    t.equal((await create('short', 'short')).status, 400)
    t.equal(asked.length, before)
  })

  t.test('one that fails or takes too long lets pass, and that is logged', async (t) => {
    for (const secret of ['throws at once', 'rejects later', 'never answers']) {
      const before = log.lines.length
      t.equal((await create(secret.replaceAll(' ', '-'), secret)).status, 201, secret)
      const lines = log.lines.slice(before).filter(({ level }) => level === 40)
      t.match(lines, [{ msg: /could not be found out/ }], secret)
    }
    await aborted
    t.notOk(log.text.includes('never answers'))
  })
})
