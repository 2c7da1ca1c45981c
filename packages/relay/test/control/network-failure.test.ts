import t from 'tap'
import { describeNetworkError } from '../../dist/control/network-failure.js'
import { parseProblem, parseRetryAfter, plainText, serverTime } from '../../dist/control/panel-problem.js'
import { isReadableOnTheWay, panelRoute, parsePanelUrl } from '../../dist/control/panel-url.js'

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code })

t.test('errors are told apart by code, also inside causes and gathered errors', (t) => {
  const cases: [unknown, string, RegExp][] = [
    [coded('ENOTFOUND'), 'dns', /not known/],
    [coded('EAI_AGAIN'), 'dns', /name server/],
    [coded('EAI_FAIL'), 'dns', /DNS/],
    [coded('CERT_HAS_EXPIRED'), 'tls', /expired \(CERT_HAS_EXPIRED\).*clock.*renewed/],
    [coded('CERT_NOT_YET_VALID'), 'tls', /not valid yet.*clock/],
    [coded('CERT_REVOKED'), 'tls', /revoked/],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls', /another name.*check the URL.*sign-in/],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls', /not trusted.*sign-in.*NODE_EXTRA_CA_CERTS/],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls', /seems to speak no TLS.*check the URL/],
    [coded('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'tls', /no TLS connection could be made/],
    [coded('EPROTO'), 'tls', /seems to speak no TLS/],
    [coded('HPE_INVALID_CONSTANT'), 'unreachable', /seems to speak no HTTP.*check the URL/],
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

t.test('a certificate that is not valid now: the time by which it is not is said', (t) => {
  const now = Date.parse('2038-01-19T03:14:07Z')
  t.match(describeNetworkError(coded('CERT_HAS_EXPIRED'), now).detail, 'it says 2038-01-19 03:14 UTC')
  t.match(describeNetworkError(coded('CERT_NOT_YET_VALID'), 0).detail, 'it says 1970-01-01 00:00 UTC')
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

t.test('a Retry-After date is by the clock of who sent it', (t) => {
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT'
  t.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:07 GMT', serverTime(date)), 7_000)
  t.equal(serverTime(date), Date.parse('2026-01-01T00:00:00Z'))
  for (const nonsense of [null, undefined, '', 'now', `${date}${' '.repeat(100)}`]) {
    t.equal(serverTime(nonsense), undefined)
  }
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
