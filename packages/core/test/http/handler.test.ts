import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { createKernel, type Http, http, type Kernel, override, RateLimits } from '../../dist/index.js'
import { createTestLogger } from '../../dist/testing/index.js'
import { countingLimits, problem, raw, routes } from './support.js'

function add(service: Http): void {
  const shared = { access: 'public', summary: 's', tag: 't' } as const
  service.route({
    ...shared,
    method: 'POST',
    url: '/api/echo',
    body: Type.Object({ a: Type.String() }),
    handler: ({ body }) => body,
  })
  service.upgradeRoute('/api/ws', ({ socket }) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nours'))
}

function makeKernel(basePath = ''): Kernel {
  const plugins = [routes(add), http({ basePath })]
  return createKernel({
    logger: createTestLogger().logger,
    plugins,
    overrides: [override(RateLimits, countingLimits())],
  })
}

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const echo = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":"b"}' }

t.test('answers behind any node:http server', async (t) => {
  const kernel = makeKernel()
  const { server, url } = await serve(kernel.handler)
  server.on('upgrade', kernel.upgrade)
  const early = await fetch(`${url}/api/echo`, echo)
  t.equal(early.status, 503, 'not before it is started')
  t.ok(early.headers.has('retry-after'))
  t.equal((await problem(early)).error, 'service_unavailable')
  await kernel.start()
  const [first, second] = await Promise.all([fetch(`${url}/api/echo`, echo), fetch(`${url}/api/echo`, echo)])
  t.same([await first.json(), await second.json()], [{ a: 'b' }, { a: 'b' }], 'at once from the first request on')
  t.equal((await problem(await fetch(`${url}/nope`))).error, 'not_found')
  const upgrade = 'host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
  t.match((await raw(url, `GET /api/ws HTTP/1.1\r\n${upgrade}`)).text, 'ours')
  t.equal((await raw(url, `GET /nope HTTP/1.1\r\n${upgrade}`)).status, 404)
  await kernel.stop()
  t.equal((await problem(await fetch(`${url}/api/echo`, echo))).error, 'service_unavailable')
  const late = await raw(url, `GET /api/ws HTTP/1.1\r\n${upgrade}`)
  t.equal(late.status, 503)
  t.match(late.headers, { 'retry-after': '1', 'content-type': /problem\+json/ })
  server.closeAllConnections()
  server.close()
})

t.test('outlives an upgrade that breaks off before it is started', async (t) => {
  const kernel = makeKernel()
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  kernel.upgrade({} as IncomingMessage, socket, Buffer.alloc(0))
  socket.destroy(new Error('ECONNRESET'))
  await closed
  t.ok(socket.destroyed)
})

t.test('says in the usual form that the routes cannot be made', async (t) => {
  const broken = (service: Http): void =>
    service.plugin(async () => {
      throw new Error('the page of secrets')
    })
  const overrides = [override(RateLimits, countingLimits())]
  const kernel = createKernel({ logger: createTestLogger().logger, plugins: [routes(broken)], overrides })
  await kernel.start()
  const { server, url } = await serve(kernel.handler)
  const refused = await problem(await fetch(url))
  t.equal(refused.error, 'internal_error')
  t.notMatch(refused.detail, 'secrets')
  await kernel.stop()
  server.closeAllConnections()
  server.close()
})

t.test('takes a body that the host has read already', async (t) => {
  const kernel = makeKernel()
  await kernel.start()
  const { server, url } = await serve(async (request: IncomingMessage & { body?: unknown }, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    request.body = JSON.parse(Buffer.concat(chunks).toString())
    kernel.handler(request, response)
  })
  t.same(await (await fetch(`${url}/api/echo`, echo)).json(), { a: 'b' })
  t.equal((await problem(await fetch(`${url}/api/echo`, { ...echo, body: '{ "a":  5 }' }))).error, 'validation_failed')
  t.equal(
    (await problem(await fetch(`${url}/api/echo`, { ...echo, body: '{"__proto__":{"x":1}}' }))).error,
    'malformed_json',
  )
  await kernel.stop()
  server.closeAllConnections()
  server.close()
})

t.test('serves below a base path', async (t) => {
  const kernel = makeKernel('/panel')
  const { port } = await kernel.listen()
  const url = `http://127.0.0.1:${port}`
  t.equal((await fetch(`${url}/panel/api/echo`, echo)).status, 200)
  for (const path of ['/api/echo', '/', '/panels', '/panel/nope']) {
    t.equal((await problem(await fetch(url + path, echo))).error, 'not_found', path)
  }
  t.equal((await problem(await fetch(`${url}/panel/api/echo`))).error, 'method_not_allowed')
  await kernel.stop()
})
