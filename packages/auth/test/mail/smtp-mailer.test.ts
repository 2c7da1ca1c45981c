import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createTestLogger, type TestLogger } from '@sallyport/core/testing'
import t, { type Test } from 'tap'
import type { Mailer } from '../../dist/mail/mailer.js'
import { createSmtpMailer } from '../../dist/mail/smtp-mailer.js'
import type { SmtpServer } from '../../dist/mail/smtp-url.js'
import { mailerContract } from '../../dist/testing/mailer-contract.js'
import { startSmtpServer } from './smtp-server.js'

const mail = { to: 'ada@example.com', subject: 'Your code', text: 'It is 123456.' }
const from = { name: 'Sallyport', address: 'no-reply@example.com' }

interface Opened {
  readonly mailer: Mailer
  readonly log: TestLogger
}

interface Timeouts {
  readonly silenceTimeoutMs?: number
  readonly sendTimeoutMs?: number
}

function open(t: Test, port: number, server: Partial<SmtpServer> = {}, timeouts: Timeouts = {}): Opened {
  const log = createTestLogger()
  const mailer = createSmtpMailer({
    server: { host: '127.0.0.1', port, secure: false, requireTls: false, ...server },
    from: () => from,
    logger: log.logger,
    ...timeouts,
  })
  t.teardown(() => mailer.close())
  return { mailer, log }
}

/** A server that says what `speak` makes it say. */
async function startRawServer(t: Test, speak: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    speak(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

mailerContract(t as never, async () => {
  const server = await startSmtpServer()
  const mailer = createSmtpMailer({
    server: { host: '127.0.0.1', port: server.port, secure: false, requireTls: false },
    from: () => from,
    logger: createTestLogger().logger,
  })
  return {
    mailer,
    received: async () => server.mails,
    breakDown: () => server.close(),
    async dispose() {
      await mailer.close()
      await server.close()
    },
  }
})

t.test('what a mail says of itself', async (t) => {
  const server = await startSmtpServer()
  t.teardown(() => server.close())
  await open(t, server.port).mailer.send(mail)
  const { headers } = await server.take(mail.to)
  t.equal(headers['from'], 'Sallyport <no-reply@example.com>')
  t.equal(headers['to'], mail.to)
  t.equal(headers['auto-submitted'], 'auto-generated')
  t.match(headers['content-type'], /^text\/plain; charset=utf-8/)
})

t.test('a line break in the subject begins no header', async (t) => {
  const server = await startSmtpServer()
  t.teardown(() => server.close())
  await open(t, server.port).mailer.send({ ...mail, subject: 'Hello\r\nX-Evil: 1\r\n\r\nbody' })
  const { headers, subject } = await server.take(mail.to)
  t.equal(headers['x-evil'], undefined)
  t.equal(subject, 'Hello X-Evil: 1 body')
})

t.test('uses TLS when it is offered, and insists on it for a password', async (t) => {
  await t.test('offered by a server with a certificate that nobody knows', async (t) => {
    const server = await startSmtpServer({ disabledCommands: [] })
    t.teardown(() => server.close())
    await open(t, server.port).mailer.send(mail)
    t.same(server.secured, [true])
  })
  await t.test('not offered, and needed', async (t) => {
    let asked = 0
    const server = await startSmtpServer({
      onAuth(_auth, _session, callback) {
        asked += 1
        callback(null, { user: 'panel' })
      },
    })
    t.teardown(() => server.close())
    const auth = { user: 'panel', pass: 'a secret of mail' }
    const { mailer } = open(t, server.port, { auth, requireTls: true })
    await t.rejects(mailer.send(mail), { code: 'AUTH_ERR_MAIL_UNAVAILABLE' })
    t.equal(asked, 0, 'the password was not sent')
    t.equal(server.mails.length, 0)
  })
})

t.test('signs in, and says nothing of the password when that fails', async (t) => {
  const pass = 'a secret of mail'
  const server = await startSmtpServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, callback) {
      if (password === pass) callback(null, { user: username })
      else callback(new Error(`no: ${password}`))
    },
  })
  t.teardown(() => server.close())
  await open(t, server.port, { auth: { user: 'panel', pass } }).mailer.send(mail)
  t.equal(server.mails.length, 1)
  const { mailer, log } = open(t, server.port, { auth: { user: 'panel', pass: 'another secret' } })
  const error = await mailer.send(mail).catch((failure: unknown) => failure)
  t.match(error, { code: 'AUTH_ERR_MAIL_UNAVAILABLE', status: 503, retryAfter: 30 })
  t.match(log.text, /EAUTH/)
  t.notMatch(log.text + String((error as Error).stack), /another secret/)
  t.notMatch(log.text, /123456/)
})

t.test('a server that refuses, is silent, trickles or is away', async (t) => {
  const unavailable = { code: 'AUTH_ERR_MAIL_UNAVAILABLE', status: 503 }
  await t.test('refuses the recipient', async (t) => {
    const server = await startSmtpServer({
      onRcptTo: (_address, _session, callback) => callback(new Error('no such user')),
    })
    t.teardown(() => server.close())
    const { mailer, log } = open(t, server.port)
    await t.rejects(mailer.send(mail), unavailable)
    t.match(log.text, /no such user/)
    t.notMatch(log.text, /123456/, 'the text is not logged')
  })
  await t.test('refuses the message', async (t) => {
    const server = await startSmtpServer({
      onData(stream, _session, callback) {
        stream.resume()
        stream.on('end', () => callback(new Error('looks like spam')))
      },
    })
    t.teardown(() => server.close())
    await t.rejects(open(t, server.port).mailer.send(mail), unavailable)
  })
  await t.test('is silent', async (t) => {
    const port = await startRawServer(t, () => undefined)
    await t.rejects(open(t, port, {}, { silenceTimeoutMs: 200 }).mailer.send(mail), unavailable)
  })
  await t.test('falls silent', async (t) => {
    const port = await startRawServer(t, (socket) => socket.write('220 hello\r\n'))
    await t.rejects(open(t, port, {}, { silenceTimeoutMs: 200 }).mailer.send(mail), unavailable)
  })
  await t.test('greets without end', async (t) => {
    const port = await startRawServer(t, (socket) => {
      const timer = setInterval(() => socket.write('220-hello\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    await t.rejects(open(t, port, {}, { sendTimeoutMs: 300 }).mailer.send(mail), unavailable)
  })
  await t.test('hangs up', async (t) => {
    const port = await startRawServer(t, (socket) => socket.destroy())
    await t.rejects(open(t, port).mailer.send(mail), unavailable)
  })
  await t.test('speaks something else', async (t) => {
    const port = await startRawServer(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await t.rejects(open(t, port).mailer.send(mail), unavailable)
  })
  await t.test('is away, and comes back', async (t) => {
    const gone = await startSmtpServer()
    await gone.close()
    const { mailer } = open(t, gone.port)
    await t.rejects(mailer.send(mail), unavailable)
    const server = await startSmtpServer()
    t.teardown(() => server.close())
    await open(t, server.port).mailer.send(mail)
    t.equal(server.mails.length, 1)
  })
})

t.test('what is under way when it is closed fails', async (t) => {
  const port = await startRawServer(t, (socket) => socket.write('220 hello\r\n'))
  const log = createTestLogger()
  const mailer = createSmtpMailer({
    server: { host: '127.0.0.1', port, secure: false, requireTls: false },
    from: () => from,
    logger: log.logger,
  })
  const sending = mailer.send(mail)
  const refused = t.rejects(sending, { code: 'AUTH_ERR_MAIL_UNAVAILABLE' })
  await mailer.close()
  await refused
  await t.rejects(mailer.send(mail), { code: 'AUTH_ERR_MAIL_UNAVAILABLE' }, 'and later ones too')
})

t.test('more mail than may wait is refused at once', async (t) => {
  const port = await startRawServer(t, () => undefined)
  const { mailer } = open(t, port)
  let refused = 0
  const sending = Array.from({ length: 110 }, () =>
    mailer.send(mail).catch(() => {
      refused += 1
    }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(refused, 7, '3 are under way and 100 wait')
  await (mailer as Mailer & { close(): Promise<void> }).close()
  await Promise.all(sending)
  t.equal(refused, 110)
})
