import t from 'tap'
import {
  Authenticator,
  coreErrors,
  definePlugin,
  type Http,
  http,
  override,
  type Principal,
  RateLimits,
} from '../../dist/index.js'
import { createTestKernel, type TestKernel } from '../../dist/testing/index.js'
import { countingLimits, problem, raw, routes, start } from './support.js'

const principals: Readonly<Record<string, Principal>> = {
  reader: principal('user', ['servers:read']),
  writer: principal('user', ['servers:*']),
  key: principal('apiKey', ['*']),
  device: principal('device', []),
}

function principal(kind: Principal['kind'], permissions: readonly string[]): Principal {
  return { kind, id: kind, permissions, memberships: [], strategy: 'test' }
}

/** `Bearer <name>` is the principal of that name. */
const strategy = definePlugin({
  name: 'test-strategy',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services }) {
    services.authenticator.use({
      name: 'test',
      schemes: ['Bearer'],
      authenticate({ headers }) {
        const name = String(headers['authorization'] ?? '').slice('Bearer '.length)
        if (name === '') return { kind: 'absent' }
        if (name === 'broken') throw new Error('the session store is broken')
        const found = principals[name]
        if (!found) return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
        return { kind: 'authenticated', principal: found }
      },
    })
  },
})

function add(http: Http): void {
  const shared = { method: 'GET', summary: 's', tag: 't' } as const
  http.route({ ...shared, url: '/public', access: 'public', handler: ({ principal }) => ({ kind: principal ?? null }) })
  http.route({
    ...shared,
    url: '/optional',
    access: 'optional',
    handler: ({ principal }) => ({ kind: principal?.kind ?? null }),
  })
  http.route({
    ...shared,
    url: '/any',
    access: 'authenticated',
    handler: ({ principal }) => ({ kind: principal.kind }),
  })
  http.route({ ...shared, url: '/write', access: { permission: 'servers:write' }, handler: () => ({}) })
  http.route({ ...shared, url: '/device', access: { kinds: ['device'] }, handler: () => ({}) })
  http.route({ ...shared, url: '/key', access: { kinds: ['apiKey'], permission: 'keys:write' }, handler: () => ({}) })
  http.route({
    ...shared,
    method: 'POST',
    url: '/login',
    access: 'public',
    rateLimit: { name: 'test.login', points: 2, windowSeconds: 30 },
    handler: () => {
      throw coreErrors.INVALID_CREDENTIALS()
    },
  })
  http.route({ ...shared, method: 'POST', url: '/large', access: 'authenticated', handler: () => ({}) })
}

async function status(panel: TestKernel, path: string, token?: string): Promise<number> {
  const response = await panel.fetch(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  if (response.status >= 400) {
    t.equal(response.status === 401, response.headers.has('www-authenticate'), 'a challenge comes with every 401')
    await problem(response)
  }
  return response.status
}

t.test('lets pass who may', async (t) => {
  await using panel = await start(add, { plugins: [strategy()] })
  const table: readonly (readonly [string, readonly (string | undefined)[], number])[] = [
    ['/public', [undefined, 'reader', 'forged', 'broken'], 200],
    ['/optional', [undefined, 'reader', 'device'], 200],
    ['/optional', ['forged'], 401],
    ['/any', ['reader', 'key'], 200],
    ['/any', [undefined, 'forged'], 401],
    ['/any', ['device'], 403],
    ['/write', ['writer', 'key'], 200],
    ['/write', ['reader', 'device'], 403],
    ['/write', [undefined], 401],
    ['/device', ['device'], 200],
    ['/device', ['key', 'writer'], 403],
    ['/key', ['key'], 200],
    ['/key', ['writer'], 403],
    ['/any', ['broken'], 500],
    ['/optional', ['broken'], 500],
  ]
  for (const [path, tokens, expected] of table) {
    for (const token of tokens) t.equal(await status(panel, path, token), expected, `${path} as ${token ?? 'nobody'}`)
  }
  const refused = await problem(await panel.fetch('/write', { headers: { authorization: 'Bearer reader' } }))
  t.equal(refused.error, 'forbidden')
  t.match(refused.detail, 'servers:write')
})

t.test('looks at credentials before it reads a body', async (t) => {
  await using panel = await start(add, { plugins: [strategy()] })
  const response = await panel.fetch('/large', {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json' },
  })
  t.equal(response.status, 401)
})

t.test('counts by address before credentials are looked at, however the URL is written', async (t) => {
  await using limited = await start(add, { plugins: [strategy()] })
  const paths = ['/login', '/login?x=1', '/%6cogin']
  const answers: number[] = []
  for (const path of paths) {
    const response = await limited.fetch(path, { method: 'POST', headers: { authorization: 'Bearer reader' } })
    answers.push(response.status)
    if (response.status === 429) {
      t.equal(response.headers.get('retry-after'), '30')
      t.equal((await problem(response)).error, 'too_many_requests')
    } else {
      t.ok(response.headers.has('www-authenticate'))
    }
  }
  t.same(answers, [401, 401, 429])
})

t.test('believes forwarded addresses and ids of its proxies only', async (t) => {
  const addresses: string[] = []
  const tell = (service: Http): void => {
    service.route({
      method: 'GET',
      url: '/ip',
      access: 'public',
      summary: 's',
      tag: 't',
      handler: ({ ip, requestId }) => {
        addresses.push(ip)
        return { ip, requestId }
      },
    })
  }
  const headers = { 'x-forwarded-for': '203.0.113.9, 10.1.2.3', 'x-request-id': 'from-the-proxy' }
  await using direct = await start(tell)
  const ignored = (await (await direct.fetch('/ip', { headers })).json()) as { ip: string; requestId: string }
  t.equal(ignored.ip, '127.0.0.1')
  t.not(ignored.requestId, 'from-the-proxy')
  await using proxied = await start(tell, { plugins: [http({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })] })
  t.same(await (await proxied.fetch('/ip', { headers })).json(), { ip: '203.0.113.9', requestId: 'from-the-proxy' })
  for (const [forwarded, expected] of [
    ['1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['nonsense', '127.0.0.1'],
    ['203.0.113.9, nonsense', '127.0.0.1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8::1', '2001:db8::1'],
    ['10.1.1.1', '10.1.1.1'],
  ] as const) {
    const answer = (await (await proxied.fetch('/ip', { headers: { 'x-forwarded-for': forwarded } })).json()) as {
      ip: string
    }
    t.equal(answer.ip, expected, forwarded)
  }
  for (const id of ['a b', 'x'.repeat(200), '<script>', '']) {
    const response = await proxied.fetch('/ip', { headers: { 'x-request-id': id } })
    t.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/, id.slice(0, 20))
  }
  for (const entry of ['10.0.0.0/33', 'nonsense', '10.0.0.0/8/8', '', '::/129', '10.0.0/8']) {
    await t.rejects(
      start(tell, { plugins: [http({ trustedProxies: [entry] })] }),
      { code: 'CORE_ERR_CONFIG_INVALID' },
      entry,
    )
  }
})

t.test('guards every way to a path, unknown ones too', async (t) => {
  let open = false
  await using panel = await start((http) => {
    http.route({
      method: 'GET',
      url: '/api/tunnel/devices',
      access: 'authenticated',
      summary: 's',
      tag: 't',
      handler: () => ({}),
    })
    http.route({ method: 'GET', url: '/api/tunnels', access: 'public', summary: 's', tag: 't', handler: () => ({}) })
    http.guard('/api/tunnel', () => {
      if (!open) throw coreErrors.FEATURE_DISABLED({ feature: 'tunnels' })
    })
  })
  const targets = [
    '/api/tunnel',
    '/api/tunnel/',
    '/api/tunnel/devices',
    '/api/tunnel/devices/',
    '/api/tunnel/unknown',
    '//api/tunnel/devices',
    '/api//tunnel/devices',
    '/api/./tunnel/devices',
    '/api/x/../tunnel/devices',
    '/%61pi/tunnel/devices',
    '/api/%74unnel/unknown',
    '/api%2ftunnel/devices',
    '/API/tunnel/devices',
    'http://x/api/tunnel/devices',
    '/api/tunnel/devices?x=1',
  ]
  for (const target of targets) {
    const answer = await raw(panel.url, `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    t.equal(answer.status, 403, target)
    t.match(answer.body, '"error":"feature_disabled"')
  }
  t.equal((await panel.fetch('/api/tunnel/devices', { method: 'DELETE' })).status, 403)
  t.equal((await panel.fetch('/api/tunnels')).status, 200)
  open = true
  t.equal((await panel.fetch('/api/tunnel/devices')).status, 401)
  t.equal((await panel.fetch('/api/tunnel/unknown')).status, 404)
  for (const target of ['//api/tunnel/devices', '/api/./tunnel/devices', '/api/tunnel/devices/']) {
    const answer = await raw(panel.url, `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    t.not(answer.status, 200, target)
  }
})

t.test('answers 503 when limits cannot be counted', async (t) => {
  const away = {
    ...countingLimits(),
    consume: () => Promise.reject(coreErrors.UNAVAILABLE({ reason: 'Redis is away' }, { retryAfter: 7 })),
  }
  await using panel = await createTestKernel({ plugins: [routes(add)], overrides: [override(RateLimits, away)] })
  const response = await panel.fetch('/login', { method: 'POST' })
  t.equal(response.headers.get('retry-after'), '7')
  t.equal((await problem(response)).error, 'service_unavailable')
})

t.test('a 503 without a cause is a refusal: where it was thrown is not logged', async (t) => {
  const cause = new Error('it broke')
  const values = { reason: 'full' }
  await using panel = await start((service) => {
    for (const [url, error] of [
      ['/full', coreErrors.UNAVAILABLE(values)],
      ['/broken', coreErrors.UNAVAILABLE(values, { cause })],
    ] as const) {
      service.route({
        method: 'GET',
        url,
        access: 'public',
        summary: 's',
        tag: 't',
        handler: () => Promise.reject(error),
      })
    }
  })
  for (const path of ['/full', '/broken']) t.equal((await panel.fetch(path)).status, 503)
  const [refusal, fault] = panel.log.lines.filter(({ level }) => level === 40)
  t.match(refusal, { err: { code: 'CORE_ERR_UNAVAILABLE', message: 'full' }, msg: 'a part is not available' })
  t.notMatch(refusal, { err: { stack: String } })
  t.match(fault, { err: { stack: String, cause: { message: 'it broke', stack: String } } })
})
