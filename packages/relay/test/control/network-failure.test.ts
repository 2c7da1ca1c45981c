import t from 'tap'
import { describeNetworkError } from '../../dist/control/network-failure.js'
import { parseProblem, parseRetryAfter, plainText } from '../../dist/control/panel-problem.js'
import { isReadableOnTheWay, panelRoute, parsePanelUrl } from '../../dist/control/panel-url.js'

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code })

t.test('errors are told apart by code, also inside causes and gathered errors', (t) => {
  const cases: [unknown, string, RegExp][] = [
    [coded('ENOTFOUND'), 'dns', /not known/],
    [coded('EAI_AGAIN'), 'dns', /name server/],
    [coded('EAI_FAIL'), 'dns', /DNS/],
    [coded('CERT_HAS_EXPIRED'), 'tls', /certificate.*CERT_HAS_EXPIRED/],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls', /certificate/],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls', /TLS/],
    [coded('ETIMEDOUT'), 'timeout', /in time/],
    [coded('ECONNREFUSED'), 'unreachable', /refused/],
    [new TypeError('failed', { cause: coded('ENOTFOUND') }), 'dns', /not known/],
    [new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]), 'unreachable', /network is unreachable/],
    [coded('EWEIRD'), 'unreachable', /EWEIRD/],
    [new Error('Bearer secret'), 'unreachable', /^the connection failed$/],
    [undefined, 'unreachable', /failed/],
    ['text', 'unreachable', /failed/],
  ]
  for (const [error, reason, words] of cases) {
    const described = describeNetworkError(error)
    t.equal(described.reason, reason)
    t.match(described.detail, words)
  }
  const loop = coded('EWEIRD')
  loop.cause = loop
  t.equal(describeNetworkError(loop).reason, 'unreachable')
  t.end()
})

t.test('problem documents of strangers', (t) => {
  t.strictSame(parseProblem('{"error":"quota_exceeded","detail":"10 of 10"}'), {
    error: 'quota_exceeded',
    detail: '10 of 10',
  })
  t.strictSame(parseProblem('{"title":"Nope"}'), { error: '', detail: 'Nope' })
  for (const body of ['', 'x', 'null', '[]', '1', '{"error":"Not A Code","detail":5}']) {
    t.strictSame(parseProblem(body), { error: '', detail: '' })
  }
  t.equal(plainText('a\u0000\u001b[31m\nb\u202e c'), 'a [31m b  c')
  t.equal(plainText('x'.repeat(5_000)).length, 300)
  t.end()
})

t.test('Retry-After: seconds, a date, nonsense, and an end', (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  t.equal(parseRetryAfter('5', now), 5_000)
  t.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:09 GMT', now), 9_000)
  t.equal(parseRetryAfter('Thu, 01 Jan 2025 00:00:09 GMT', now), 0)
  t.equal(parseRetryAfter('999999999', now), 3_600_000)
  for (const nonsense of [null, undefined, '', 'soon', '-5x']) t.equal(parseRetryAfter(nonsense, now), undefined)
  t.end()
})

t.test('panel URLs', (t) => {
  const panel = parsePanelUrl('https://host.example/hosting')
  t.ok(panel.ok)
  if (panel.ok) t.equal(panelRoute(panel.url, '/api/x').href, 'https://host.example/hosting/api/x')
  for (const text of ['', 'host', 'host:80', '//host', 'file:///etc', 'https://u@host', 'https://host/#x']) {
    t.equal(parsePanelUrl(text).ok, false, text)
  }
  for (const safe of ['https://x.example', 'http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:3000']) {
    t.equal(isReadableOnTheWay(new URL(safe)), false, safe)
  }
  for (const open of ['http://x.example', 'http://127.0.0.1.example', 'http://10.0.0.1']) {
    t.equal(isReadableOnTheWay(new URL(open)), true, open)
  }
  t.end()
})
