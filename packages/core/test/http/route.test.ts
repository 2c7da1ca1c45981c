import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { coreErrors, type Http, http } from '../../dist/index.js'
import { problem, start } from './support.js'

const person = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 20 }),
    age: Type.Optional(Type.Integer()),
    kind: Type.Optional(Type.Union([Type.Literal('client'), Type.Literal('server')])),
    address: Type.Optional(Type.Object({ 'street/name': Type.String() })),
    friends: Type.Optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
)

function add(http: Http): void {
  const shared = { access: 'public', summary: 'A route of a test', tag: 'Test' } as const
  http.route({ ...shared, method: 'POST', url: '/api/people', body: person, handler: ({ body }) => body })
  http.route({
    ...shared,
    method: 'GET',
    url: '/api/people/:id',
    params: Type.Object({ id: Type.Integer() }),
    query: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ maximum: 100, default: 10 })),
        all: Type.Optional(Type.Boolean()),
        tag: Type.Optional(Type.Array(Type.String())),
      },
      { additionalProperties: false },
    ),
    handler: ({ params, query }) => ({ params, query }),
  })
  http.route({ ...shared, method: 'POST', url: '/api/empty', handler: () => undefined })
  http.route({
    ...shared,
    method: 'PATCH',
    url: '/api/optional',
    body: Type.Optional(Type.Object({ a: Type.Optional(Type.String()) }, { additionalProperties: false })),
    handler: ({ body }) => ({ body }),
  })
  http.route({ ...shared, method: 'DELETE', url: '/api/people/:id', handler: ({ params }) => ({ params }) })
  http.route({ ...shared, method: 'GET', url: '/api/text', handler: () => 'text' })
  http.route({ ...shared, method: 'GET', url: '/api/null', handler: () => null })
  http.route({
    ...shared,
    method: 'GET',
    url: '/api/stream',
    handler: ({ reply }) => reply.type('text/plain').send(Readable.from(['a', 'b'])),
  })
  http.route({
    ...shared,
    method: 'POST',
    url: '/api/created',
    handler: ({ reply }) => reply.code(201).send({ id: 1 }),
  })
  http.route({
    ...shared,
    method: 'POST',
    url: '/api/small',
    body: Type.Object({}),
    bodyLimit: 100,
    handler: () => ({}),
  })
  http.route({
    ...shared,
    method: 'POST',
    url: '/api/list',
    body: Type.Array(Type.Integer()),
    handler: ({ body }) => body.length,
  })
  http.route({
    ...shared,
    method: 'GET',
    url: '/api/conflict',
    handler: () => {
      throw coreErrors.CONFLICT({ reason: 'There is one already' }, { headers: { 'x-extra': 'yes' } })
    },
  })
  http.route({
    ...shared,
    method: 'GET',
    url: '/api/crash/:how',
    handler: ({ params }) => {
      const { how } = params as { how: string }
      if (how === 'string') throw 'a string with hunter2'
      if (how === 'undefined') throw undefined
      if (how === 'bigint') return { big: 1n }
      if (how === 'library') throw Object.assign(new Error('inner call: hunter2'), { statusCode: 404, status: 404 })
      if (how === 'database')
        throw Object.assign(new Error('no pg_hba.conf entry for hunter2'), { name: 'SequelizeConnectionError' })
      throw Object.assign(new Error('SELECT * FROM users: hunter2'), { sql: 'SELECT', parameters: ['hunter3'] })
    },
  })
}

t.test('answers with JSON', async (t) => {
  await using panel = await start(add)
  const created = await panel.fetch('/api/created', { method: 'POST' })
  t.equal(created.status, 201)
  t.same(await created.json(), { id: 1 })
  t.equal(created.headers.get('content-type'), 'application/json; charset=utf-8')
  t.equal(created.headers.get('x-content-type-options'), 'nosniff')
  t.equal(created.headers.get('cache-control'), 'no-store')
  t.match(created.headers.get('x-request-id') ?? '', /^[\w-]{36}$/)
  t.equal(await (await panel.fetch('/api/text')).json(), 'text')
  t.equal(await (await panel.fetch('/api/null')).json(), null)
  t.equal(await (await panel.fetch('/api/stream')).text(), 'ab')
  const nothing = await panel.fetch('/api/empty', { method: 'POST' })
  t.equal(nothing.status, 204)
  t.equal(await nothing.text(), '')
})

t.test('takes bodies as they are', async (t) => {
  await using panel = await start(add)
  const body = { name: 'Ada', age: 36, kind: 'client' }
  t.same(await (await panel.fetch('/api/people', { json: body })).json(), body)
  for (const wrong of [{ name: 5 }, { name: ['Ada'] }, { name: true }, { name: null }]) {
    const refused = await problem(await panel.fetch('/api/people', { json: wrong }))
    t.same(refused.errors, [{ path: '/name', message: 'must be string' }], JSON.stringify(wrong))
  }
  for (const age of ['36', [36], true, 36.5, null]) {
    const refused = await problem(await panel.fetch('/api/people', { json: { name: 'Ada', age } }))
    t.equal(refused.errors?.[0]?.path, '/age', JSON.stringify(age))
  }
})

t.test('lists every field that is wrong, and names the first', async (t) => {
  await using panel = await start(add)
  const json = { age: 'x', extra: 1, kind: 'other', address: { 'street/name': 1 }, friends: ['a', 2] }
  const refused = await problem(await panel.fetch('/api/people', { json }))
  t.equal(refused.status, 400)
  t.equal(refused.error, 'validation_failed')
  t.equal(refused.type, 'urn:sallyport:error:validation_failed')
  t.same(
    new Set(refused.errors?.map(({ path }) => path)),
    new Set(['/name', '/age', '/extra', '/kind', '/address/street~1name', '/friends/1']),
  )
  t.equal(refused.errors?.find(({ path }) => path === '/kind')?.message, 'must be one of "client", "server"')
  t.match(refused.detail, refused.errors?.[0]?.path ?? '-')
})

t.test('refuses text that the database cannot hold', async (t) => {
  await using panel = await start(add)
  for (const [json, path] of [
    [{ name: 'a\0b' }, '/name'],
    [{ name: 'a', friends: ['ok', '\0'] }, '/friends/1'],
    [{ name: 'a', address: { 'street/name': '\ud800' } }, '/address/street~1name'],
    [{ name: 'a', 'b\0': 1 }, ''],
  ] as const) {
    const refused = await problem(await panel.fetch('/api/people', { json }))
    t.equal(refused.status, 400)
    t.equal(refused.errors?.[0]?.path, path)
  }
  t.equal((await problem(await panel.fetch('/api/people/%00'))).status, 400)
  t.equal((await problem(await panel.fetch('/api/text?a=%00'))).errors?.[0]?.path, '/a')
  t.equal((await problem(await panel.fetch('/api/people/1?tag=a%00'))).errors?.[0]?.path, '/tag/0')
})

t.test('refuses bodies that are no JSON', async (t) => {
  await using panel = await start(add)
  const send = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json'): Promise<Response> =>
    panel.fetch('/api/people', { method: 'POST', headers: { 'content-type': type }, body })
  for (const body of ['{', '{"name":', 'name=Ada', '{"name":"a"}}', '\u00ff', '{"name":"a",}', 'undefined', 'NaN']) {
    t.equal((await problem(await send(body))).error, 'malformed_json', body)
  }
  t.equal((await problem(await send(new Uint8Array([0x22, 0xff, 0x22])))).error, 'malformed_json')
  for (const body of ['{"__proto__":{"admin":true}}', '{"name":"a","address":{"constructor":{"prototype":{"x":1}}}}']) {
    t.equal((await problem(await send(body))).error, 'malformed_json', body)
  }
  t.equal(({} as Record<string, unknown>)['admin'], undefined)
  for (const type of [
    'text/plain',
    'application/xml',
    'multipart/form-data',
    'application/x-www-form-urlencoded',
    'x',
    'application/jsonp',
  ]) {
    t.equal((await problem(await send('{"name":"Ada"}', type))).status, 415, type)
  }
  for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/merge-patch+json']) {
    t.equal((await send('{"name":"Ada"}', type)).status, 200, type)
  }
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  t.equal((await problem(await send(deep))).status, 400)
  t.equal((await problem(await send(`{"name":${deep}}`))).error, 'validation_failed')
  for (const body of ['null', '[]', '"x"', '5'])
    t.equal((await problem(await send(body))).error, 'validation_failed', body)
})

t.test('knows an empty body from a missing one', async (t) => {
  await using panel = await start(add)
  const json = { 'content-type': 'application/json' }
  t.equal((await panel.fetch('/api/empty', { method: 'POST', headers: json })).status, 204)
  t.equal((await panel.fetch('/api/empty', { method: 'POST', headers: json, body: '{"ignored":1}' })).status, 204)
  t.same((await problem(await panel.fetch('/api/people', { method: 'POST', headers: json }))).errors, [
    { path: '', message: 'is required' },
  ])
  t.equal((await problem(await panel.fetch('/api/people', { method: 'POST' }))).error, 'validation_failed')
  t.same(await (await panel.fetch('/api/optional', { method: 'PATCH' })).json(), { body: {} })
  t.same(await (await panel.fetch('/api/optional', { method: 'PATCH', json: { a: 'b' } })).json(), { body: { a: 'b' } })
  t.equal((await panel.fetch('/api/people/7', { method: 'DELETE', headers: json })).status, 200)
  t.equal((await panel.fetch('/api/people/7', { method: 'DELETE' })).status, 200)
})

t.test('refuses bodies that are too large', async (t) => {
  await using panel = await start(add)
  const refused = await problem(await panel.fetch('/api/small', { json: { a: 'x'.repeat(200) } }))
  t.equal(refused.status, 413)
  t.equal(refused.error, 'payload_too_large')
  t.match(refused.detail, '100 bytes')
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`{"a":"${'x'.repeat(200)}"}`))
      controller.close()
    },
  })
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chunked,
    duplex: 'half',
  } as const
  t.equal((await problem(await panel.fetch('/api/small', init as never))).status, 413)
  const many = await problem(await panel.fetch('/api/list', { json: Array.from({ length: 100_000 }, () => 'x') }))
  t.equal(many.errors?.length, 1, 'of very many wrong values the first is told')
})

t.test('reads numbers and booleans of a query from their text', async (t) => {
  await using panel = await start(add)
  t.same(await (await panel.fetch('/api/people/7?limit=5&all=false&tag=a')).json(), {
    params: { id: 7 },
    query: { limit: 5, all: false, tag: ['a'] },
  })
  t.same(await (await panel.fetch('/api/people/7')).json(), { params: { id: 7 }, query: { limit: 10 } })
  for (const query of [
    'limit=',
    'limit=0x10',
    'limit=1e1',
    'limit=%205',
    'limit=101',
    'all=1',
    'all=',
    'limit=1&limit=2',
    'unknown=1',
    '__proto__=1',
  ]) {
    t.equal((await problem(await panel.fetch(`/api/people/7?${query}`))).status, 400, query)
  }
  t.equal((await problem(await panel.fetch('/api/people/seven'))).errors?.[0]?.path, '/id')
})

t.test('answers unknown routes and wrong methods', async (t) => {
  await using panel = await start(add)
  for (const path of ['/nope', '/api', '/api/', '/api/people/7/x', '/', '/api/people/']) {
    t.equal((await problem(await panel.fetch(path))).error, 'not_found', path)
  }
  // Ways to write a path that is known, with a method that it takes: no route, and no wrong method either.
  for (const path of ['/api//people/7', '/api/people/7/', '/api/text/']) {
    t.equal((await problem(await panel.fetch(path))).error, 'not_found', path)
  }
  const wrong = await panel.fetch('/api/people', { method: 'PUT', json: {} })
  t.equal(wrong.headers.get('allow'), 'POST, OPTIONS')
  t.equal((await problem(wrong)).error, 'method_not_allowed')
  const both = await panel.fetch('/api/people/7', { method: 'POST', body: 'not read' })
  t.equal(both.headers.get('allow'), 'GET, HEAD, DELETE, OPTIONS')
  t.equal(both.status, 405)
  const options = await panel.fetch('/api/people/7', { method: 'OPTIONS' })
  t.equal(options.status, 204)
  t.equal(options.headers.get('allow'), 'GET, HEAD, DELETE, OPTIONS')
  const head = await panel.fetch('/api/text', { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(head.headers.get('content-length'), '6')
  t.equal(await head.text(), '')
  t.equal((await problem(await panel.fetch(`/api/people/${'9'.repeat(300)}`))).status, 414)
})

t.test('renders errors without what is inside', async (t) => {
  await using panel = await start(add)
  const conflict = await panel.fetch('/api/conflict')
  t.equal(conflict.headers.get('x-extra'), 'yes')
  const { requestId, ...rest } = await problem(conflict)
  t.ok(requestId)
  t.same(rest, {
    type: 'urn:sallyport:error:conflict',
    title: 'Conflict',
    status: 409,
    detail: 'There is one already',
    error: 'conflict',
  })
  for (const how of ['error', 'string', 'undefined', 'bigint', 'library']) {
    const response = await panel.fetch(`/api/crash/${how}`)
    const text = await response.clone().text()
    const failed = await problem(response)
    t.equal(failed.error, 'internal_error', how)
    t.equal(failed.status, 500)
    t.notMatch(text, /hunter|SELECT|node_modules|at /, how)
    t.ok(
      panel.log.lines.some((line) => line['requestId'] === failed.requestId && line.level === 50),
      `${how} is logged`,
    )
  }
  t.notMatch(panel.log.text, 'hunter3', 'a query that failed is logged without its parameters')
  const away = await panel.fetch('/api/crash/database')
  t.match(away.headers.get('retry-after') ?? '', /^\d+$/)
  t.equal((await problem(away)).error, 'service_unavailable')
})

t.test('waits for no handler for ever', async (t) => {
  const stuck = (service: Http): void =>
    service.route({
      method: 'GET',
      url: '/stuck',
      access: 'public',
      summary: 's',
      tag: 't',
      handler: () => new Promise(() => undefined),
    })
  await using panel = await start(stuck, { plugins: [http({ handlerTimeoutMs: 50 })] })
  t.equal((await problem(await panel.fetch('/stuck'))).error, 'service_unavailable')
})

t.test('keeps pages apart from the API', async (t) => {
  await using panel = await start((service) => {
    add(service)
    service.plugin(async (app) => {
      app.get('/*', async (_request, reply) => reply.type('text/html').send('<p>page'))
    })
  })
  t.equal(await (await panel.fetch('/any/page')).text(), '<p>page')
  t.equal((await problem(await panel.fetch('/api/nope'))).error, 'not_found')
  t.equal((await problem(await panel.fetch('/api/people'))).error, 'method_not_allowed')
  t.equal((await problem(await panel.fetch('//api/nope'))).error, 'not_found')
})

t.test('answers a wrong method of a page', async (t) => {
  await using panel = await start((service) => {
    add(service)
    service.plugin(async (app) => {
      app.get('/', async () => 'home')
      app.post('/form/:id', async () => 'form')
      app.get('/files/a b+c.js', async () => 'file')
    })
  })
  const cases = { '/': 'GET, HEAD', '/form/7': 'POST', '/files/a%20b+c.js': 'GET, HEAD' }
  for (const [path, allow] of Object.entries(cases)) {
    const wrong = await panel.fetch(path, { method: 'PUT', json: {} })
    t.equal(wrong.headers.get('allow'), `${allow}, OPTIONS`, path)
    t.equal((await problem(wrong)).error, 'method_not_allowed', path)
  }
  t.equal((await problem(await panel.fetch('/files/abc.js', { method: 'PUT', json: {} }))).error, 'not_found')
})

t.test('names the field of a long value', async (t) => {
  await using panel = await start((http) =>
    http.route({
      ...{ method: 'POST', url: '/named', access: 'public', summary: 's', tag: 't' },
      body: Type.Object({ name: Type.String({ maxLength: 100 }) }),
      handler: () => ({}),
    }),
  )
  const refused = await problem(await panel.fetch('/named', { json: { name: 'x'.repeat(1_048_576) } }))
  t.equal(refused.status, 400)
  t.equal(refused.errors?.[0]?.path, '/name')
})

t.test('answers an upload that is far too large', async (t) => {
  await using panel = await start(add)
  const body = JSON.stringify({ a: 'x'.repeat(8_000_000) })
  const response = await panel.fetch('/api/people', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  t.equal((await problem(response)).error, 'payload_too_large')
})

t.test('refuses routes that cannot be', async (t) => {
  const shared = { method: 'GET', access: 'public', summary: 's', tag: 't', handler: () => ({}) } as const
  for (const url of ['', 'api', '/a b', '/a?b', '/a/*/b', '/:', '//a', '/a/:b-:c', '/a/(.*)']) {
    await t.rejects(
      start((http) => http.route({ ...shared, url })),
      { code: 'CORE_ERR_ROUTE_INVALID' },
      url,
    )
  }
  await t.rejects(
    start((http) => {
      http.route({ ...shared, url: '/a/:b' })
      http.route({ ...shared, url: '/a/:c' })
    }),
    { code: 'CORE_ERR_ROUTE_INVALID' },
  )
  for (const access of [
    undefined,
    null,
    '',
    'admin',
    {},
    { permissions: 'a:b' },
    { permission: 'a b' },
    { kinds: 'user' },
  ]) {
    await t.rejects(
      start((http) => http.route({ ...shared, url: '/a', access: access as never })),
      { code: 'CORE_ERR_ROUTE_INVALID' },
      JSON.stringify(access),
    )
  }
  let late: Http | undefined
  await using _panel = await start((http) => {
    late = http
  })
  t.throws(() => late?.route({ ...shared, url: '/late' }), { code: 'CORE_ERR_ROUTE_INVALID' })
})
