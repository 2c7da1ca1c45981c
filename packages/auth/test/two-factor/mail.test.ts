import t, { type Test } from 'tap'
import { mail } from '../../dist/index.js'
import { startSmtpServer, type TestSmtpServer } from '../mail/smtp-server.js'
import type { Panel } from '../support/panel.js'
import { admin, enrol, startTwoFactorPanel, tempTokenOf, verifyLogin } from './support.js'

async function open(t: Test, options: Parameters<typeof startSmtpServer>[0] = {}): Promise<[Panel, TestSmtpServer]> {
  const server = await startSmtpServer(options)
  t.teardown(() => server.close())
  const panel = await startTwoFactorPanel(t, {
    mailer: mail({ url: `smtp://127.0.0.1:${server.port}` }),
    publicUrl: 'https://panel.example.com',
  })
  return [panel, server]
}

t.test('a code comes by SMTP and signs in', async (t) => {
  const [{ call }, server] = await open(t)
  const user = await enrol(call, admin)
  const tempToken = await tempTokenOf(call, user)
  const sent = await call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
  t.same(sent.body, { success: true })
  t.equal(server.mails.length, 1, 'it has been handed over when that is said')
  const { headers, subject, text } = await server.take(admin.email)
  t.equal(headers['from'], 'Sallyport <no-reply@panel.example.com>')
  t.equal(headers['to'], admin.email)
  t.equal(subject, 'Your code to sign in to Sallyport')
  t.notMatch(subject, /\d/, 'subjects show on locked screens')
  t.match(text, /somebody else knows your password/)
  const codes = text.match(/\d{6}/g) ?? []
  t.equal(codes.length, 1)
  const emailCode = codes[0] as string
  const { status, body } = await verifyLogin(call, { tempToken, emailCode })
  t.equal(status, 200)
  const session = await call('GET', '/api/auth/session', { token: body.token })
  t.same(session.body.session.methods, ['password', 'email'])
})

t.test('mail that cannot be sent is 503, and the sign-in goes on otherwise', async (t) => {
  const [{ call }, server] = await open(t, {
    onRcptTo: (_address, _session, callback) => callback(new Error('no such user')),
  })
  const user = await enrol(call, admin)
  const tempToken = await tempTokenOf(call, user)
  const send = () => call('POST', '/api/auth/2fa/send-email', { body: { tempToken } })
  const refused = await send()
  await server.close()
  const away = await send()
  for (const { status, body, headers } of [refused, away]) {
    t.equal(status, 503)
    t.equal(body.error, 'service_unavailable')
    t.ok(Number(headers['retry-after']) > 0)
    t.notMatch(JSON.stringify(body), /no such user|127\.0\.0\.1/)
  }
  t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200)
})
