import fc from 'fast-check'
import t from 'tap'
import { judgeUpgradeAnswer } from '../../dist/control/control-refusal.js'
import { describeStrangeAnswer, type StrangeAnswer } from '../../dist/control/strange-answer.js'

const PANEL = new URL('https://panel.example.com/hosting/')
const ANSWER: StrangeAnswer = { status: 200, contentType: 'text/html; charset=utf-8', error: '' }

const cases: [string, Partial<StrangeAnswer>, string, RegExp][] = [
  ['a web page', {}, 'not_a_panel', /no Sallyport panel \(HTTP 200, text\/html\).*check the URL.*sign-in/],
  ['something else', { contentType: '' }, 'not_a_panel', /\(HTTP 200, no content type\): check the URL$/],
  ['a sign-in page that says so', { status: 511 }, 'sign_in_required', /sign-in first \(HTTP 511\).*browser/],
  ['a web page that wants a password', { status: 401 }, 'not_a_panel', /HTTP 401/],
  ['a proxy that wants one', { status: 407 }, 'proxy_credentials', /HTTP 407.*HTTPS_PROXY/],
  ['a proxy whose panel is down', { status: 502 }, 'unavailable', /panel or its proxy.*HTTP 502/],
  ['no such route', { status: 404, error: 'not_found' }, 'panel_too_old', /too old.*update the panel/],
  ['no such page', { status: 404 }, 'not_a_panel', /HTTP 404/],
  ['nowhere', { status: 302 }, 'redirected', /redirects elsewhere.*check the URL/],
  [
    'to a sign-in page',
    { status: 302, location: 'http://login.hotel.example/?from=panel' },
    'redirected',
    /redirects to login\.hotel\.example,.*sign-in/,
  ],
  [
    'to where the panel is now',
    { status: 308, location: 'https://new.example/x/api/tunnel/ws?a=1' },
    'redirected',
    /redirects to https:\/\/new\.example\/x,.*enrol with that URL/,
  ],
  ['to a page of its own', { status: 302, location: '/login' }, 'redirected', /another of its pages/],
  ['to itself', { status: 302, location: '/hosting/api/tunnel/ws' }, 'redirected', /another of its pages/],
  [
    'to a path that looks like a host',
    { status: 302, location: 'http://new.example//[/api/tunnel/ws' },
    'redirected',
    /redirects to http:\/\/new\.example\/\/\[,.*enrol with that URL/,
  ],
  ['to nonsense', { status: 302, location: 'http://[' }, 'redirected', /redirects elsewhere/],
  ['to a script', { status: 302, location: 'javascript:alert(1)' }, 'redirected', /redirects elsewhere/],
  ['to too much', { status: 302, location: `http://${'a'.repeat(5_000)}/` }, 'redirected', /redirects elsewhere/],
]
for (const [name, more, reason, words] of cases) {
  t.test(`who answers in the panel's place: ${name}`, (t) => {
    const described = describeStrangeAnswer({ ...ANSWER, ...more }, PANEL)
    t.equal(described.reason, reason)
    t.match(described.detail, words)
    t.ok(described.detail.length < 300)
    t.end()
  })
}

t.test('credentials in a redirect are not repeated', (t) => {
  const location = 'https://user:secret@new.example/api/tunnel/ws'
  const { detail } = describeStrangeAnswer({ ...ANSWER, status: 301, location }, PANEL)
  t.notMatch(detail, /secret|user/)
  t.match(detail, 'https://new.example')
  t.end()
})

t.test('http that leads to https is said with the URL to use', (t) => {
  const location = 'https://panel.example.com/api/tunnel/ws'
  const { detail } = describeStrangeAnswer({ ...ANSWER, status: 301, location }, new URL('http://panel.example.com/'))
  t.match(detail, 'redirects to https://panel.example.com, which is not followed with a token: enrol with that URL')
  t.end()
})

t.test('only the panel itself ends an agent', (t) => {
  const answer = { ...ANSWER, status: 401, detail: '' }
  t.match(judgeUpgradeAnswer({ ...answer, error: 'unauthorized' }, PANEL), { kind: 'refused', reason: 'bad_token' })
  t.match(judgeUpgradeAnswer(answer, PANEL), { kind: 'lost', reason: 'not_a_panel' })
  t.match(judgeUpgradeAnswer({ ...answer, status: 403, error: 'feature_disabled' }, PANEL), { kind: 'waiting' })
  t.match(judgeUpgradeAnswer({ ...answer, status: 503, error: 'busy', retryAfterMs: 5 }, PANEL), {
    kind: 'lost',
    reason: 'busy',
    detail: 'HTTP 503: busy',
    retryAfterMs: 5,
  })
  t.end()
})

t.test('whatever strangers answer: short words, fit for a terminal', (t) => {
  const location = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.string({ unit: fc.constantFrom('/', '[', ':', '@', '%', 'x') }).map((path) => `http://x/${path}/api/tunnel/ws`),
  )
  const answers = fc.record({
    status: fc.integer({ min: 100, max: 999 }),
    contentType: fc.string({ unit: 'binary' }),
    error: fc.constantFrom('', 'not_found', 'unauthorized'),
    location: fc.option(location, { nil: undefined }),
  })
  fc.assert(
    fc.property(answers, (answer) => {
      const { detail } = describeStrangeAnswer(answer, PANEL)
      return detail.length < 600 && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(detail)
    }),
    { numRuns: 2_000 },
  )
  t.end()
})
