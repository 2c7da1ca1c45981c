import fc from 'fast-check'
import t from 'tap'
import { createAuthenticator } from '../../dist/identity/authenticator-service.js'
import { readAuthorization } from '../../dist/identity/authorization-header.js'
import {
  type Authentication,
  type AuthenticationRequest,
  type AuthenticationStrategy,
  coreErrors,
  type Principal,
} from '../../dist/index.js'

function found(kind: Principal['kind'], id: string): Authentication {
  return { kind: 'authenticated', principal: { kind, id, permissions: [], memberships: [], strategy: 'test' } }
}

const refused: Authentication = { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
const absent: Authentication = { kind: 'absent' }

/** `Bearer session-<id>` or the cookie `session`; `bad` is refused, anything else is another's. */
const session: AuthenticationStrategy = {
  name: 'session',
  schemes: ['Bearer'],
  authenticate({ headers, cookies }) {
    const value = String(headers['authorization'] ?? '').replace('Bearer ', '') || cookies['session']
    if (value === 'bad') return refused
    return value?.startsWith('session-') ? found('user', value.slice(8)) : absent
  },
}

const device: AuthenticationStrategy = {
  name: 'device',
  schemes: ['Bearer'],
  async authenticate({ headers }) {
    const value = String(headers['authorization'] ?? '').replace('Bearer ', '')
    if (value === 'broken') throw new Error('the database is away')
    return value.startsWith('device-') ? found('device', value.slice(7)) : absent
  },
}

const apiKey: AuthenticationStrategy = {
  name: 'api-key',
  schemes: ['ApiKey'],
  credentialHeaders: ['X-Api-Key'],
  authenticate({ headers }) {
    const value = headers['x-api-key'] ?? String(headers['authorization'] ?? '').replace(/^ApiKey /i, '')
    if (value === 'bad') return refused
    return typeof value === 'string' && value.startsWith('key-') ? found('apiKey', value.slice(4)) : absent
  },
}

function request(
  headers: AuthenticationRequest['headers'] = {},
  cookies: Record<string, string> = {},
): AuthenticationRequest {
  return { method: 'GET', headers, cookies, ip: '192.0.2.1', peer: '192.0.2.1' }
}

function authenticator(...strategies: AuthenticationStrategy[]) {
  const service = createAuthenticator()
  for (const strategy of strategies) service.use(strategy)
  return service
}

async function outcome(headers: AuthenticationRequest['headers'], cookies?: Record<string, string>): Promise<string> {
  const result = await authenticator(session, device, apiKey).authenticate(request(headers, cookies))
  if (result.kind === 'authenticated') return `${result.principal.kind} ${result.principal.id}`
  return result.kind === 'refused' ? `${result.error.status} ${result.error.error}` : 'absent'
}

t.test('finds whose credentials they are', async (t) => {
  t.equal(await outcome({}), 'absent')
  t.equal(await outcome({}, { session: 'session-1' }), 'user 1')
  t.equal(await outcome({}, { other: 'x' }), 'absent')
  t.equal(await outcome({ authorization: 'Bearer session-1' }), 'user 1')
  t.equal(await outcome({ authorization: 'bearer  device-1' }).catch(() => ''), '401 invalid_credentials')
  t.equal(await outcome({ authorization: 'Bearer device-1' }), 'device 1')
  t.equal(await outcome({ authorization: 'ApiKey key-1' }), 'apiKey 1')
  t.equal(await outcome({ authorization: 'apikey key-1' }), 'apiKey 1')
  t.equal(await outcome({ 'x-api-key': 'key-1' }), 'apiKey 1')
})

t.test('refuses an Authorization header that is malformed or that nobody knows', async (t) => {
  const headers = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearer unknown',
    'ApiKey',
    'session-1',
    'Bearer\tsession-1',
    'Bearer session-1\u0000',
    'Bearer \u00e9',
    `Bearer ${'x'.repeat(10_000)}`,
    ', Bearer x',
    ['Bearer session-1', 'Bearer session-1'],
  ]
  for (const authorization of headers) {
    t.equal(await outcome({ authorization }), '401 invalid_credentials', String(authorization).slice(0, 40))
    t.equal(
      await outcome({ authorization }, { session: 'session-1' }),
      '401 invalid_credentials',
      'a valid cookie does not help',
    )
    t.equal(await outcome({ authorization, 'x-api-key': 'key-1' }), '401 invalid_credentials', 'nor does a valid key')
  }
})

t.test('refuses when any credential is refused', async (t) => {
  t.equal(await outcome({ authorization: 'Bearer session-1', 'x-api-key': 'bad' }), '401 invalid_credentials')
  t.equal(await outcome({ authorization: 'Bearer session-1' }, { session: 'bad' }), '401 invalid_credentials')
  t.equal(await outcome({ 'x-api-key': 'bad' }, { session: 'session-1' }), '401 invalid_credentials')
})

t.test('takes several credentials of one principal, and none of two', async (t) => {
  t.equal(await outcome({ authorization: 'Bearer session-1' }, { session: 'session-1' }), 'user 1')
  t.equal(await outcome({ authorization: 'ApiKey key-1', 'x-api-key': 'key-1' }), 'apiKey 1')
  for (const [headers, cookies] of [
    [{ authorization: 'Bearer session-1' }, { session: 'session-2' }],
    [{ authorization: 'Bearer device-1' }, { session: 'session-1' }],
    [{ authorization: 'Bearer session-1', 'x-api-key': 'key-1' }, undefined],
    [{ 'x-api-key': 'key-1' }, { session: 'session-1' }],
    [{ authorization: 'ApiKey key-1', 'x-api-key': 'key-2' }, undefined],
  ] as const) {
    const result = await outcome(headers, cookies)
    t.equal(result, '400 conflicting_credentials', JSON.stringify([headers, cookies]))
  }
})

t.test(
  'shows strategies the Authorization header and everything else apart, and changes nothing of the request',
  async (t) => {
    const seen: AuthenticationRequest[] = []
    const onlooker = (name: string, answer: Authentication | Promise<Authentication>): AuthenticationStrategy => ({
      name,
      schemes: ['Bearer', 'bearer'],
      credentialHeaders: name === 'at once' ? ['X-Api-Key'] : [],
      authenticate(given) {
        seen.push(given)
        return answer
      },
    })
    const service = authenticator(onlooker('at once', absent), onlooker('later', Promise.resolve(found('user', '1'))))
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'key-1', origin: 'https://a.example' }
    const given = Object.freeze(
      request(Object.freeze({ ...headers }), Object.freeze({ a: 'b' }) as Record<string, string>),
    )
    t.match(await service.authenticate(given), { kind: 'authenticated', principal: { id: '1' } })
    const { authorization, cookie, 'x-api-key': key, origin } = headers
    t.equal(seen.length, 4, 'each is asked twice')
    for (const view of seen.slice(0, 2)) t.same([view.headers, { ...view.cookies }], [{ authorization, origin }, {}])
    for (const view of seen.slice(2))
      t.same([view.headers, view.cookies], [{ cookie, 'x-api-key': key, origin }, { a: 'b' }])

    seen.length = 0
    await service.authenticate(request({ origin }))
    t.same(
      seen.map((view) => view.headers),
      [{ origin }, { origin }],
      'once without the header',
    )
    seen.length = 0
    t.match(await service.authenticate(request({ authorization: 'Basic x' }, { a: 'b' })), { kind: 'refused' })
    t.same(seen, [], 'nobody is asked about a scheme that nobody knows')
  },
)

t.test('takes no fault for the absence of credentials', async (t) => {
  const service = authenticator(device, session)
  await t.rejects(service.authenticate(request({ authorization: 'Bearer broken' })), {
    message: 'the database is away',
  })
})

t.test('keeps strategies by name', async (t) => {
  const service = authenticator(session)
  t.throws(() => service.use({ ...session }), { code: 'CORE_ERR_CONFLICT' })
  t.equal(service.challenge, 'Bearer realm="sallyport"')
  const dispose = service.use(apiKey)
  t.equal(service.challenge, 'Bearer realm="sallyport", ApiKey realm="sallyport"')
  t.same(
    service.strategies.map(({ name }) => name),
    ['session', 'api-key'],
  )
  await dispose()
  await dispose()
  t.same(
    service.strategies.map(({ name }) => name),
    ['session'],
  )
  t.equal(createAuthenticator().challenge, 'Bearer realm="sallyport"', 'a 401 has a challenge in any case')
})

t.test('reads Authorization headers of every kind without throwing', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map((text) => `Bearer ${text}`),
    fc.array(fc.string()),
  )
  fc.assert(
    fc.property(value, (header) => {
      const read = readAuthorization(header as string | string[])
      return read.kind !== 'present' || /^[!-~]+$/.test(read.scheme)
    }),
  )
  await fc.assert(
    fc.asyncProperty(value, async (authorization) => {
      const result = await authenticator(session, apiKey).authenticate(
        request({ authorization: authorization as string }),
      )
      return result.kind !== 'absent'
    }),
  )
})
