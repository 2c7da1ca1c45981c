import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { describeNetworkError } from '../../dist/control/network-failure.js'
import { connectThrough } from '../../dist/proxy/connect-through.js'
import type { ProxyError } from '../../dist/proxy/proxy-error.js'
import { readBytes, startEcho } from '../support.js'
import { startHttpProxy } from './http-proxy.js'

type Outcome = { socket: Socket } | { error: ProxyError }

function connectBy(t: Test, proxy: URL, host: string, port: number, timeoutMs = 5_000): Promise<Outcome> {
  return new Promise((resolve) => {
    const abandon = connectThrough({
      proxy,
      host,
      port,
      timeoutMs,
      onConnected(socket) {
        socket.on('error', () => {})
        t.teardown(() => socket.destroy())
        resolve({ socket })
      },
      onFailed: (error) => resolve({ error }),
    })
    t.teardown(abandon)
  })
}

async function failure(t: Test, proxy: URL, timeoutMs?: number): Promise<ProxyError> {
  const outcome = await connectBy(t, proxy, 'panel.example', 443, timeoutMs)
  if (!('error' in outcome)) throw new Error('connected')
  return outcome.error
}

/** A server that says this to whoever connects, in one piece, after it has heard something. */
async function startTalker(t: Test, text: string): Promise<URL> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.write(text))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

t.test('the way through a proxy is a way to the other side', async (t) => {
  const echo = await startEcho(t)
  const proxy = await startHttpProxy(t, { 'relay.example': echo.port })
  const outcome = await connectBy(t, proxy.url, 'relay.example', 7_350)
  if (!('socket' in outcome)) throw outcome.error
  const { socket } = outcome
  socket.write('hello')
  t.equal(String(await readBytes(socket, 5)), 'hello')
  t.same(proxy.asked, ['relay.example:7350'], 'the name is left to the proxy')
  t.equal(proxy.headers[0]?.['proxy-authorization'], undefined)
  t.equal(socket.allowHalfOpen, true)
})

t.test('credentials of the URL are sent decoded', async (t) => {
  const echo = await startEcho(t)
  const proxy = await startHttpProxy(t, { 'relay.example': echo.port })
  const url = new URL(proxy.url)
  url.username = 'domain\\me'
  url.password = 'a:b@c%'
  t.ok('socket' in (await connectBy(t, url, 'relay.example', 1)))
  const [, credentials = ''] = String(proxy.headers[0]?.['proxy-authorization']).split(' ')
  t.equal(String(Buffer.from(credentials, 'base64')), 'domain\\me:a:b@c%')
})

t.test(
  'addresses of IPv6 go in brackets, names of other scripts as DNS has them, and nonsense not at all',
  async (t) => {
    const proxy = await startHttpProxy(t)
    proxy.refuseWith = 403
    for (const host of ['2001:db8::1', 'spiel.müller.example', 'a b\r\nx: y']) await connectBy(t, proxy.url, host, 443)
    t.same(proxy.asked, ['[2001:db8::1]:443', 'spiel.xn--mller-kva.example:443', 'invalid.invalid:443'])
  },
)

t.test('a refusal is told by its kind, and without credentials', async (t) => {
  const proxy = await startHttpProxy(t)
  const url = new URL(proxy.url)
  url.username = 'me'
  url.password = 'secret'
  for (const [status, code, reason] of [
    [407, 'ERR_PROXY_AUTHENTICATION', 'proxy_credentials'],
    [401, 'ERR_PROXY_AUTHENTICATION', 'proxy_credentials'],
    [403, 'ERR_PROXY_REFUSED', 'proxy_refused'],
    [502, 'ERR_PROXY_UPSTREAM', 'unreachable'],
    [503, 'ERR_PROXY_UPSTREAM', 'unreachable'],
    [302, 'ERR_PROXY_PROTOCOL', 'proxy_unreachable'],
  ] as const) {
    proxy.refuseWith = status
    const error = await failure(t, url)
    t.match(error, { code, status, proxy: proxy.url.host })
    const words = describeNetworkError(error)
    t.equal(words.reason, reason)
    t.match(words.detail, proxy.url.host)
    t.notMatch(`${error.message} ${words.detail} ${error.stack}`, /secret/)
  }
})

t.test('nobody there, no proxy, and one that never answers', async (t) => {
  const gone = await startHttpProxy(t)
  await gone.close()
  const unreachable = await failure(t, gone.url)
  t.equal(unreachable.code, 'ERR_PROXY_UNREACHABLE')
  t.match(describeNetworkError(unreachable), { reason: 'proxy_unreachable', detail: /^the proxy \S+: nothing listens/ })
  t.equal((await failure(t, await startTalker(t, 'SSH-2.0-OpenSSH_9\r\n'))).code, 'ERR_PROXY_PROTOCOL')
  const endless = `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(40_000)}`
  t.equal((await failure(t, await startTalker(t, endless))).code, 'ERR_PROXY_PROTOCOL', 'an answer without bound')
  const early = 'HTTP/1.1 200 OK\r\n\r\nwho speaks first?'
  t.equal((await failure(t, await startTalker(t, early))).code, 'ERR_PROXY_PROTOCOL', 'words before the other side')
  const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n'
  t.equal((await failure(t, await startTalker(t, upgrade))).code, 'ERR_PROXY_PROTOCOL')
  const silent = await startHttpProxy(t)
  silent.silent = true
  t.equal((await failure(t, silent.url, 50)).code, 'ERR_PROXY_TIMEOUT')
})

t.test('abandoned, it tells nobody and leaves the proxy', async (t) => {
  const left = new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('close', resolve)
      socket.once('data', () => abandon())
    })
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      start(new URL(`http://127.0.0.1:${port}`))
    })
    t.teardown(() => new Promise((resolve) => server.close(resolve)))
  })
  let abandon = () => {}
  const told: unknown[] = []
  function start(proxy: URL): void {
    const tell = (what: unknown) => told.push(what)
    abandon = connectThrough({ proxy, host: 'x', port: 1, timeoutMs: 1_000, onConnected: tell, onFailed: tell })
  }
  await left
  const silent = await startHttpProxy(t)
  silent.silent = true
  t.equal((await failure(t, silent.url, 1_000)).code, 'ERR_PROXY_TIMEOUT', 'its own time would be over too')
  t.same(told, [])
})

t.test('whatever a proxy says, it is one outcome, and never the other side', async (t) => {
  const sockets = new Set<Socket>()
  let answer: Uint8Array = new Uint8Array()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const proxy = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const part = fc.constantFrom(
    'HTTP/1.1',
    ' ',
    '200',
    '404',
    '100',
    ' OK',
    '\r\n',
    '\r\n\r\n',
    'a: b',
    'content-length: 9',
    '\0',
  )
  const text = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.from(parts.join('')))
  const bytes = fc.oneof(text, fc.uint8Array({ maxLength: 64 }))
  await fc.assert(
    fc.asyncProperty(bytes, async (said) => {
      answer = said
      const outcome = await connectBy(t, proxy, 'panel.example', 443, 1_000)
      if ('error' in outcome) return outcome.error.code.startsWith('ERR_PROXY_')
      outcome.socket.destroy()
      return /^(HTTP\/1\.1 1\d\d.*)?HTTP\/1\.1 2\d\d/s.test(Buffer.from(said).toString('latin1'))
    }),
    { numRuns: 300, seed: 6 },
  )
})
