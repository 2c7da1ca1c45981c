import fc from 'fast-check'
import t from 'tap'
import { createPanelClient, PanelProblem, unwrap } from '../../dist/client/index.js'

type Headers = Record<string, string>

const json = { 'content-type': 'application/json' }
const problemJson = { 'content-type': 'application/problem+json' }

async function ask(fetch: () => Promise<Response>): Promise<unknown> {
  const panel = createPanelClient({ url: 'https://panel.example', fetch })
  return unwrap(panel.GET('/api/tunnel/devices'))
}

async function problemOf(status: number, headers: Headers, body: string | null): Promise<PanelProblem> {
  try {
    await ask(async () => new Response(body, { status, headers }))
  } catch (error) {
    if (error instanceof PanelProblem) return error
    throw error
  }
  throw new Error('taken for an answer of the panel')
}

const refusal = {
  type: 'urn:sallyport:error:bad_request',
  title: 'Bad Request',
  status: 400,
  detail: 'Something is missing',
  error: 'invalid_body',
  requestId: 'req-1',
  errors: [{ path: '/localPort', message: 'must be a number' }, { path: 7 }, null],
}

t.test('a refusal of the panel', async (t) => {
  const problem = await problemOf(400, problemJson, JSON.stringify(refusal))
  t.equal(problem.name, 'PanelProblem')
  t.match(problem, {
    status: 400,
    error: 'invalid_body',
    detail: 'Something is missing',
    message: 'Something is missing',
    requestId: 'req-1',
    retryAfterSeconds: undefined,
  })
  t.strictSame(problem.errors, [{ path: '/localPort', message: 'must be a number' }])
})

t.test('its words are one line without control characters, whatever they are', async (t) => {
  const of = (detail: unknown) => problemOf(409, json, JSON.stringify({ error: 'conflict', title: 'Conflict', detail }))
  t.equal((await of('two\nlines\u001b[31m')).message, 'two lines [31m')
  t.equal((await of('x'.repeat(9_999))).message.length, 300)
  t.equal((await of(7)).message, 'Conflict')
  t.equal((await problemOf(409, json, '{"error":"conflict"}')).message, 'The panel refused (conflict)')
})

t.test('when to come back', async (t) => {
  const of = async (status: number, headers: Headers) =>
    (await problemOf(status, { ...problemJson, ...headers }, JSON.stringify({ ...refusal, status }))).retryAfterSeconds
  t.equal(await of(429, { 'retry-after': '7' }), 7)
  const [now, later] = ['Wed, 21 Oct 2015 07:28:00 GMT', 'Wed, 21 Oct 2015 07:28:09 GMT']
  t.equal(await of(503, { 'retry-after': later, date: now }), 9, "a date is by the panel's clock")
  t.equal(await of(503, { 'retry-after': new Date(Date.now() + 7_200_000).toUTCString() }), 3_600, 'an hour at most')
  t.equal(await of(503, { 'retry-after': 'soon' }), undefined)
  t.equal((await problemOf(503, { 'retry-after': '3' }, 'down')).retryAfterSeconds, 3, 'of a proxy too')
})

const page = '<!doctype html><title>hunter2</title>'
const html = { 'content-type': 'text/html' }
const strangers: [string, number, Headers, string | null, string][] = [
  ['a proxy’s page for a panel that is down', 502, html, page, 'unavailable'],
  ['a page that wants a password', 401, html, page, 'bad_answer'],
  ['a page in place of an answer', 200, html, page, 'bad_answer'],
  ['an empty answer', 200, {}, null, 'bad_answer'],
  ['an empty answer that says it is JSON', 200, json, '', 'bad_answer'],
  ['an empty error', 500, {}, null, 'unavailable'],
  ['JSON that is cut off', 200, json, '{"devices":["hunter2', 'bad_answer'],
  ['JSON of another server', 404, json, '{"message":"hunter2"}', 'bad_answer'],
  ['a code that is none', 400, problemJson, '{"error":"Hunter2!","detail":"hunter2"}', 'bad_answer'],
  ['a redirect', 307, { location: 'https://login.example/?hunter2' }, null, 'redirected'],
]
for (const [name, status, headers, body, error] of strangers) {
  t.test(name, async (t) => {
    const problem = await problemOf(status, headers, body)
    t.match(problem, { error, errors: [], requestId: undefined })
    if (problem.status !== 0) t.equal(problem.status, status)
    t.notMatch(`${problem.stack}${JSON.stringify(problem)}${problem.cause}`, /hunter2/i, 'nothing of it is repeated')
  })
}

t.test('a page in place of an answer is not waited for', async (t) => {
  let cancelled = false
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('hunter2')),
    cancel: () => {
      cancelled = true
    },
  })
  await ask(async () => new Response(endless, { headers: html })).catch(assertProblem)
  t.ok(cancelled)
})

t.test('204 has no data and is a success', async (t) => {
  t.equal(await ask(async () => new Response(null, { status: 204 })), undefined)
})

t.test('whatever answers, nothing but a PanelProblem is thrown', async (t) => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.uint8Array(),
    fc.record({ error: fc.anything(), detail: fc.anything(), errors: fc.anything() }).map((value) => stringify(value)),
    fc.record({ error: fc.constant('conflict'), errors: fc.array(fc.jsonValue()) }).map((value) => stringify(value)),
  )
  const type = fc.constantFrom('application/json', 'application/problem+json', 'text/html', 'nonsense', '')
  const retryAfter = fc.oneof(
    fc.constantFrom('0', '99999999999', '-1', 'Wed, 21 Oct 2015 07:28:00 GMT'),
    fc.nat().map(String),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 200, max: 599 }),
      body,
      type,
      retryAfter,
      async (status, content, type, after) => {
        const isEmpty = [204, 205, 304].includes(status)
        const headers = { 'content-type': type, 'retry-after': after }
        await ask(async () => new Response(isEmpty ? null : (content as string), { status, headers })).catch(
          assertProblem,
        )
      },
    ),
    { numRuns: 500 },
  )
  await fc.assert(
    fc.asyncProperty(fc.anything(), (thrown) => ask(() => Promise.reject(thrown)).then(() => t.fail(), assertProblem)),
  )
  await fc.assert(
    fc.asyncProperty(fc.anything(), (thrown) => unwrap(Promise.reject(thrown)).then(() => t.fail(), assertProblem)),
  )
  t.pass()
})

function assertProblem(error: unknown): void {
  if (!(error instanceof PanelProblem)) throw new Error('not a PanelProblem', { cause: error })
  const { status, message, retryAfterSeconds = 0 } = error
  const isFine =
    Number.isInteger(status) && message.length <= 300 && retryAfterSeconds >= 0 && retryAfterSeconds <= 3_600
  if (!isFine || /\p{Cc}/u.test(message)) throw new Error('a PanelProblem that is none', { cause: error })
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
