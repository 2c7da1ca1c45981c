import t from 'tap'
import { parseSmtpUrl } from '../../dist/mail/smtp-url.js'

t.test('servers', async (t) => {
  t.same(parseSmtpUrl('smtp://mail.example.com:25'), {
    host: 'mail.example.com',
    port: 25,
    secure: false,
    requireTls: false,
  })
  t.same(parseSmtpUrl('smtps://mail.example.com'), { host: 'mail.example.com', secure: true, requireTls: false })
  t.same(parseSmtpUrl('smtp://[::1]:1025'), { host: '::1', port: 1025, secure: false, requireTls: false })
})

t.test('a password that leaves the machine needs TLS', async (t) => {
  const requireTls = (url: string): boolean => {
    const server = parseSmtpUrl(url)
    return 'requireTls' in server && server.requireTls
  }
  t.ok(requireTls('smtp://user:password@mail.example.com:587'))
  t.ok(requireTls('smtp://user:password@127.example.com:587'))
  t.notOk(requireTls('smtp://user:password@localhost:587'))
  t.notOk(requireTls('smtp://user:password@127.0.0.1:587'))
  t.notOk(requireTls('smtps://user:password@mail.example.com'), 'it has it from the beginning')
  t.match(parseSmtpUrl('smtp://a%40b.cd:p%3Aw@localhost'), { auth: { user: 'a@b.cd', pass: 'p:w' } })
})

t.test('what is none', async (t) => {
  const wrong = [
    '',
    'mail.example.com',
    'http://mail.example.com',
    'smtp://',
    'smtp:mail.example.com',
    'smtp://host:99999',
    'smtp://host/path',
    'smtp://host?tls.rejectUnauthorized=false',
    'smtp://user:%zz@host',
    'smtp://a%20b:25',
  ]
  for (const url of wrong) {
    const result = parseSmtpUrl(url)
    t.ok('wrong' in result, url)
    if ('wrong' in result && url !== '') t.notOk(result.wrong.includes(url), 'the URL may hold a password')
  }
})
