import { connect } from 'node:net'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import { type Http, http } from '../../dist/index.js'
import { type RawAnswer, raw, start } from './support.js'

function add(http: Http): void {
  http.route({
    method: 'POST',
    url: '/api/things/:id',
    access: 'public',
    summary: 's',
    tag: 't',
    body: Type.Object({ a: Type.String() }),
    query: Type.Object({ n: Type.Optional(Type.Integer()) }),
    params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    handler: () => ({}),
  })
  http.route({ method: 'GET', url: '/api/things', access: 'optional', summary: 's', tag: 't', handler: () => ({}) })
}

function isProblem(answer: RawAnswer, status: number): boolean {
  if (answer.status !== status) return false
  if (!answer.headers['content-type']?.startsWith('application/problem+json')) return false
  const body = JSON.parse(answer.body) as Record<string, unknown>
  return body['status'] === status && body['requestId'] === answer.headers['x-request-id']
}

t.test('answers malformed HTTP with problem+json and closes', async (t) => {
  await using panel = await start(add)
  const cases: readonly [string, string | Buffer, number][] = [
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a TLS hello', Buffer.from('160301020001000001fc0303', 'hex'), 400],
    ['a bad version', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400],
    ['a bad header', 'GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nhost: x\r\na: \0\r\n\r\n', 400],
    ['headers too large', `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST /api/things HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na', 400],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no Host', 'GET /api/things HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['a bad escape', 'GET /api/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400],
    ['a half escape', 'GET /api/things/%f0%9f HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400],
  ]
  for (const [name, request, status] of cases) {
    const answer = await raw(panel.url, request)
    t.ok(isProblem(answer, status), `${name}: ${answer.text.slice(0, 400)}`)
  }
})

t.test('answers odd but lawful requests', async (t) => {
  await using panel = await start(add)
  const close = 'host: x\r\nconnection: close\r\n\r\n'
  t.equal((await raw(panel.url, `GET http://elsewhere.example/api/things HTTP/1.1\r\n${close}`)).status, 200)
  t.equal((await raw(panel.url, 'GET /api/things HTTP/1.0\r\n\r\n')).status, 200)
  t.ok(isProblem(await raw(panel.url, `OPTIONS * HTTP/1.1\r\n${close}`), 404))
  t.ok(isProblem(await raw(panel.url, `PROPFIND /api/things HTTP/1.1\r\n${close}`), 405))
  t.ok(isProblem(await raw(panel.url, `TRACE /api/things HTTP/1.1\r\n${close}`), 405))
  t.equal((await raw(panel.url, `GET /api/things HTTP/1.1\r\nexpect: 100-continue\r\n${close}`)).status, 100)
  t.equal((await raw(panel.url, `GET /api/things HTTP/1.1\r\nexpect: nonsense\r\n${close}`)).status, 200)
  t.equal(
    (await raw(panel.url, `GET /api/things HTTP/1.1\r\ncontent-length: 3\r\n${close}abc`)).status,
    200,
    'a body of GET is ignored',
  )
  t.equal(
    (await raw(panel.url, 'CONNECT example.com:80 HTTP/1.1\r\nhost: example.com\r\n\r\n')).text,
    '',
    'CONNECT is closed',
  )
  const twice =
    'GET /api/things HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\nconnection: close\r\n\r\n'
  t.ok(isProblem(await raw(panel.url, twice), 401), 'two Authorization headers')
})

t.test('ends a request that trickles in', async (t) => {
  const plugins = [http({ requestTimeoutMs: 300, headersTimeoutMs: 200 })]
  await using panel = await start(add, { plugins })
  const answer = await raw(panel.url, 'GET /api/things HTTP/1.1\r\nhost: x\r\na: ', 15_000)
  t.ok(isProblem(answer, 408), answer.text)
})

t.test('outlives clients that go away', async (t) => {
  await using panel = await start(add)
  const { port } = new URL(panel.url)
  const starts = [
    'POST /api/things/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":',
    'GET /api',
    '',
  ]
  for (const text of starts) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(text, () => socket.resetAndDestroy())
      })
      socket.on('close', () => resolve())
    })
  }
  t.equal((await panel.fetch('/api/things')).status, 200)
  t.notOk(panel.log.lines.some(({ level }) => level >= 50))
})

t.test('never fails because of what a client sends', async (t) => {
  await using panel = await start(add)
  const word = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('..', '.', '//', '%00', '%2e%2e', '%', '%c3%28', ':id', '*', '\ud800', '__proto__'),
  )
  const target = fc.array(word, { maxLength: 6 }).map((words) => `/${words.join('/')}`)
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH')
  const body = fc.option(fc.oneof(fc.json(), fc.string(), fc.string({ unit: 'binary' })), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(
      method,
      fc.oneof(
        target,
        fc.constant('/api/things'),
        target.map((path) => `/api/things${path}`),
      ),
      fc.string(),
      body,
      async (verb, path, query, payload) => {
        const bytes = Buffer.from(payload ?? '')
        const line = `${verb} ${clean(path)}?n=${clean(query)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`
        const head = `${line}content-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`
        const answer = await raw(panel.url, Buffer.concat([Buffer.from(head), bytes]))
        return answer.status >= 200 && answer.status < 500
      },
    ),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }).filter(([first]) => first !== 10 && first !== 13),
      async (bytes) => {
        const answer = await raw(panel.url, Buffer.concat([Buffer.from(bytes), Buffer.from('\r\n\r\n\r\n')]), 20_000)
        return answer.status === 0 || (answer.status >= 400 && answer.status < 500)
      },
    ),
    { numRuns: 50 },
  )
  t.equal((await panel.fetch('/api/things')).status, 200)
  t.notOk(panel.log.lines.some(({ level }) => level >= 50))
})

/** What may stand in a request line: the rest is malformed HTTP, tested above. */
function clean(text: string): string {
  return text.replaceAll(/[\0-\x20\x7f#]/g, '')
}
