import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { Authenticator, coreErrors, definePlugin, type Http, type UpgradeContext } from '../../dist/index.js'
import { raw, start } from './support.js'

const strategy = definePlugin({
  name: 'test-strategy',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services }) {
    services.authenticator.use({
      name: 'test',
      schemes: ['Bearer'],
      authenticate({ headers, cookies }) {
        const token = headers['authorization'] ?? cookies['session']
        if (token === undefined) return { kind: 'absent' }
        if (token === 'Bearer broken') throw new Error('broken')
        if (token !== 'Bearer good' && token !== 'good')
          return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
        const principal = { kind: 'device', id: 'd', permissions: [], memberships: [], strategy: 'test' } as const
        return { kind: 'authenticated', principal }
      },
    })
  },
})

let open = true

function add(http: Http): void {
  http.route({
    method: 'GET',
    url: '/plain',
    access: 'public',
    summary: 's',
    tag: 't',
    handler: () => ({ plain: true }),
  })
  http.upgradeRoute('/api/ws', ({ authentication, socket, head, ip, requestId, refuse }: UpgradeContext) => {
    if (authentication.kind === 'refused') return refuse(authentication.error)
    socket.end(`HTTP/1.1 101 x\r\n\r\n${authentication.kind} ${ip} ${requestId.length} ${head.toString()}`)
  })
  http.upgradeRoute('/api/throws', () => {
    throw new Error('secret inside')
  })
  http.upgradeRoute('/api/rejects', () => Promise.reject(coreErrors.CONFLICT({ reason: 'later' })))
  http.guard('/api', () => {
    if (!open) throw coreErrors.FEATURE_DISABLED({ feature: 'x' })
  })
}

const handshake = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n${more}\r\n`

t.test('gives upgrades with their authentication to their path', async (t) => {
  await using panel = await start(add, { plugins: [strategy()] })
  t.match((await raw(panel.url, handshake('/api/ws'))).body, /^absent 127\.0\.0\.1 36 $/)
  t.match(
    (await raw(panel.url, `${handshake('/api/ws', 'authorization: Bearer good\r\n')}early`)).body,
    /^authenticated .* early$/,
  )
  t.match((await raw(panel.url, handshake('/api/ws', 'cookie: session=good\r\n'))).body, /^authenticated/)
  for (const credential of [
    'authorization: Bearer bad',
    'authorization: nonsense',
    'cookie: session=bad',
    'authorization: Basic YTpi',
  ]) {
    const refused = await raw(panel.url, handshake('/api/ws', `${credential}\r\n`))
    t.equal(refused.status, 401, credential)
    t.match(refused.headers['www-authenticate'], 'Bearer')
    t.match(refused.headers['content-type'], 'application/problem+json')
    t.equal(refused.headers['connection'], 'close')
    t.equal(JSON.parse(refused.body).requestId, refused.headers['x-request-id'])
  }
})

t.test('answers what leads nowhere, and closes', async (t) => {
  await using panel = await start(add, { plugins: [strategy()] })
  t.equal((await raw(panel.url, handshake('/nope'))).status, 404)
  t.equal((await raw(panel.url, handshake('/plain'))).status, 404)
  t.equal((await raw(panel.url, handshake('/api/rejects'))).status, 409)
  t.equal((await raw(panel.url, handshake('/api/ws', 'authorization: Bearer broken\r\n'))).status, 500)
  const failed = await raw(panel.url, handshake('/api/throws'))
  t.equal(failed.status, 500)
  t.notMatch(failed.text, 'secret')
  t.equal(
    (await raw(panel.url, 'POST /plain HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n')).status,
    400,
  )
})

t.test('answers a request that would rather have another protocol as a plain one', async (t) => {
  await using panel = await start(add)
  const answer = await raw(
    panel.url,
    'GET /plain HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n',
  )
  t.equal(answer.status, 200)
  t.equal(answer.body, '{"plain":true}')
})

t.test('guards upgrades too, however the path is written', async (t) => {
  await using panel = await start(add)
  open = false
  t.teardown(() => {
    open = true
  })
  for (const path of ['/api/ws', '//api/ws', '/api/%77s', '/api/./ws', '/api/unknown', '/API/ws']) {
    t.match((await raw(panel.url, handshake(path))).body, 'feature_disabled', path)
  }
})

t.test('never fails because of what a client sends', async (t) => {
  await using panel = await start(add, { plugins: [strategy()] })
  const path = fc.constantFrom('/api/ws', '/api', '/', '/plain', '/api/%zz', '*', '/api/ws?token=x', '//')
  const value = fc
    .string({ unit: 'binary', maxLength: 60 })
    .map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ''))
  const name = fc.constantFrom(
    'authorization',
    'cookie',
    'upgrade',
    'x-forwarded-for',
    'x-request-id',
    'content-length',
  )
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.array(fc.tuple(name, value), { maxLength: 4 }),
      fc.uint8Array(),
      async (target, headers, rest) => {
        const lines = headers.map(([field, text]) => `${field}: ${text}\r\n`).join('')
        const bytes = Buffer.concat([
          Buffer.from(handshake(target, `connection: close\r\n${lines}`), 'latin1'),
          Buffer.from(rest),
        ])
        const answer = await raw(panel.url, bytes, 10_000)
        return answer.status < 500
      },
    ),
    { numRuns: 80 },
  )
  t.notOk(panel.log.lines.some(({ level }) => level >= 50))
})

t.test('outlives sockets that break, and gives them back at the end', async (t) => {
  let held: Duplex | undefined
  const hold = (http: Http): void => {
    http.upgradeRoute('/hold', ({ socket }) => {
      held = socket
      socket.write('HTTP/1.1 101 x\r\n\r\n')
    })
  }
  const panel = await start(hold)
  t.teardown(() => panel.stop())
  const { port } = new URL(panel.url)
  const client = connect(Number(port), '127.0.0.1')
  client.write(handshake('/hold'))
  await once(client, 'data')
  const reset = new Promise((resolve) => held?.once('close', resolve))
  client.resetAndDestroy()
  await reset
  const other = connect(Number(port), '127.0.0.1')
  other.write(handshake('/hold'))
  await once(other, 'data')
  const closed = once(other, 'close')
  await panel.stop()
  await closed
  t.pass('the socket is closed when the kernel stops')
})
