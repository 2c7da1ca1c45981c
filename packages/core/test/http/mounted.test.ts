import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import cookie from '@fastify/cookie'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import { Type } from '@sinclair/typebox'
import { type FastifyInstance, fastify } from 'fastify'
import t from 'tap'
import { coreErrors, createKernel, type Http, type Kernel, override, RateLimits } from '../../dist/index.js'
import { createTestLogger } from '../../dist/testing/index.js'
import { countingLimits, problem, raw, routes } from './support.js'

function add(http: Http): void {
  const shared = { access: 'public', summary: 's', tag: 't' } as const
  http.route({ ...shared, method: 'GET', url: '/api/things/:id', handler: ({ params, ip }) => ({ params, ip }) })
  http.route({
    ...shared,
    method: 'POST',
    url: '/api/things',
    body: Type.Object({ a: Type.Number() }),
    handler: ({ body }) => body,
  })
  http.route({ ...shared, method: 'GET', url: '/api/boom', handler: () => Promise.reject(new Error('boom')) })
  http.guard('/api/guarded', () => {
    throw coreErrors.FEATURE_DISABLED({ feature: 'x' })
  })
  http.upgradeRoute('/api/ws', ({ socket }) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nours')
  })
  http.plugin(async (app) => {
    app.get('/page', async (_request, reply) => reply.type('text/html').send('<p>page'))
    app.get('/page/boom', async () => {
      throw new Error('boom')
    })
  })
}

function makeKernel(): Kernel {
  const { logger } = createTestLogger()
  return createKernel({ logger, plugins: [routes(add)], overrides: [override(RateLimits, countingLimits())] })
}

/** A host with everything that could be in the way. */
async function host(kernel: Kernel, prefix = ''): Promise<{ app: FastifyInstance; url: string; lines: string[] }> {
  const lines: string[] = []
  const app = fastify({
    logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } },
    exposeHeadRoutes: false,
  })
  app.setErrorHandler((error, _request, reply) => void reply.code(418).send({ host: (error as Error).message }))
  app.setNotFoundHandler((_request, reply) => void reply.code(404).send({ host: 'not found' }))
  app.setValidatorCompiler(() => () => ({ error: new Error('the host validates otherwise') }))
  app.setReplySerializer((payload) => JSON.stringify({ wrapped: payload }))
  app.addHook('preSerialization', async (_request, _reply, payload) => ({ host: payload }))
  app.decorateRequest('principal', null)
  app.addContentTypeParser('application/x-host', { parseAs: 'string' }, (_request, body, done) =>
    done(null, `host ${body}`),
  )
  await app.register(cookie)
  await app.register(swagger, { openapi: { info: { title: 'Host', version: '1' } } })
  await app.register(fastifyStatic, { root: process.cwd(), serve: false })
  app.get('/api/own', async (request) => ({ cookies: request.cookies }))
  app.get('/api/things/static', async () => ({ of: 'the host' }))
  app.post('/own', async (request) => ({ body: request.body }))
  app.get('/own/boom', async () => {
    throw new Error('host boom')
  })
  await app.register(kernel.fastify, prefix === '' ? {} : { prefix })
  app.get('/api/later', async () => ({ later: true }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, lines, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` }
}

t.test('serves its routes in a host app and leaves the host as it was', async (t) => {
  const kernel = makeKernel()
  const { app, url, lines } = await host(kernel)
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init)

  t.same(await (await get('/api/things/1')).json(), { params: { id: '1' }, ip: '127.0.0.1' })
  t.equal((await get('/api/things/1', { method: 'HEAD' })).status, 200)
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
  t.same(await (await get('/api/things', { ...json, body: '{"a":1}' })).json(), { a: 1 })
  t.equal((await problem(await get('/api/things', { ...json, body: '{"a":"1"}' }))).error, 'validation_failed')
  t.equal((await problem(await get('/api/things', { ...json, body: '{' }))).error, 'malformed_json')
  const foreign = { method: 'POST', headers: { 'content-type': 'application/x-host' }, body: 'x' }
  t.equal((await problem(await get('/api/things', foreign))).status, 415)
  t.equal((await problem(await get('/api/boom'))).error, 'internal_error')
  t.equal((await get('/api/health/ready')).status, 200)
  t.equal(await (await get('/page')).text(), '<p>page')
  t.equal((await problem(await get('/page/boom'))).error, 'internal_error')
  t.equal((await problem(await get('/api/things/1', { method: 'DELETE' }))).error, 'method_not_allowed')
  t.equal((await problem(await get('/api/guarded/unknown'))).error, 'feature_disabled')

  const own = (await (await get('/api/own', { headers: { cookie: 'a=b' } })).json()) as { wrapped: unknown }
  t.same(own, { wrapped: { host: { cookies: { a: 'b' } } } })
  t.same(
    await (await get('/api/things/static')).json(),
    { wrapped: { host: { of: 'the host' } } },
    'the host has its route below ours',
  )
  t.same(await (await get('/api/later')).json(), { wrapped: { host: { later: true } } })
  t.same(await (await get('/own', foreign)).json(), { wrapped: { host: { body: 'host x' } } })
  const boom = await get('/own/boom')
  t.equal(boom.status, 418)
  t.same(await boom.json(), { wrapped: { host: { host: 'host boom' } } })
  for (const path of ['/nope', '/api/nope']) {
    t.same(await (await get(path)).json(), { host: { host: 'not found' } }, `${path} is the host's to refuse`)
  }
  t.equal((await get('/own', { headers: {} })).headers.get('x-frame-options'), null)
  const documented = Object.keys((app.swagger() as { paths: object }).paths)
  t.notOk(
    documented.some((path) => path.startsWith('/api/health')),
    "the host's document has the host's routes",
  )
  t.ok(documented.includes('/own'))
  t.notOk(
    lines.some((line) => line.includes('/api/health')),
    'our requests are logged once, by the kernel',
  )

  await app.close()
  t.equal(kernel.state, 'stopped', 'closing the host stops a kernel that it started')
})

t.test('serves below a prefix', async (t) => {
  const kernel = makeKernel()
  const { app, url } = await host(kernel, '/panel')
  t.equal((await fetch(`${url}/panel/api/things/1`)).status, 200)
  t.equal((await problem(await fetch(`${url}/panel/nope`))).error, 'not_found')
  t.equal((await problem(await fetch(`${url}/panel/api/things/1`, { method: 'PUT' }))).error, 'method_not_allowed')
  t.equal((await problem(await fetch(`${url}/panel//api/guarded/x`))).error, 'feature_disabled')
  t.equal((await fetch(`${url}/api/things/1`)).status, 404)
  const document = (await (await fetch(`${url}/panel/api/openapi.json`)).json()) as { servers: { url: string }[] }
  t.match(document.servers[0]?.url, /^http:\/\/localhost:\d+\/panel$/)
  await app.close()
})

t.test('leaves the host running when it is stopped by itself', async (t) => {
  const kernel = makeKernel()
  await kernel.start()
  const { app, url } = await host(kernel)
  t.equal((await fetch(`${url}/api/things/1`)).status, 200)
  await kernel.stop()
  const stopped = await fetch(`${url}/api/things/1`)
  t.equal((await problem(stopped)).error, 'service_unavailable')
  t.ok(stopped.headers.has('retry-after'))
  t.equal((await fetch(`${url}/api/own`)).status, 200)
  t.equal(app.server.listenerCount('upgrade'), 0)
  await app.close()
})

const handshake = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`

t.test("takes its own paths' upgrades and leaves the others to the host", async (t) => {
  const kernel = makeKernel()
  const { app, url } = await host(kernel)
  t.match((await raw(url, handshake('/api/ws'))).text, 'ours')
  t.match(
    (await raw(url, handshake('/api/own'))).text,
    'wrapped',
    'without a listener of the host an upgrade is a plain request',
  )
  t.equal((await problem(await fetch(`${url}/api/ws`))).error, 'upgrade_required')
  // In the manner of @fastify/websocket: every upgrade goes through the routes.
  const { ServerResponse } = await import('node:http')
  app.server.on('upgrade', (request, socket) => {
    const response = new ServerResponse(request)
    response.assignSocket(socket as never)
    response.on('finish', () => socket.end())
    app.routing(request, response)
  })
  const ours = await raw(url, handshake('/api/ws'))
  t.match(ours.text, /ours$/)
  t.notMatch(ours.text, 'upgrade_required', 'the other listener writes nothing between')
  t.match((await raw(url, handshake('/api/own'))).text, 'wrapped')
  await app.close()
})

t.test('keeps two kernels in one app apart', async (t) => {
  const [first, second] = [makeKernel(), makeKernel()]
  const app = fastify()
  await app.register(first.fastify, { prefix: '/first' })
  await app.register(second.fastify, { prefix: '/second' })
  t.equal((await app.inject('/first/api/things/1')).statusCode, 200)
  t.equal((await app.inject('/second/api/things/1')).statusCode, 200)
  await first.stop()
  t.equal((await app.inject('/first/api/things/1')).statusCode, 503)
  t.equal((await app.inject('/second/api/things/1')).statusCode, 200)
  await app.close()
})

t.test('ends with a host that never listened', async (t) => {
  const kernel = makeKernel()
  const app = fastify()
  await app.register(kernel.fastify)
  await app.ready()
  await app.close()
  t.equal(kernel.state, 'stopped')
})

t.test('ends upgraded sockets when it is stopped', async (t) => {
  const { logger } = createTestLogger()
  const hold = routes(
    (http) => void http.upgradeRoute('/hold', ({ socket }) => void socket.write('HTTP/1.1 101 x\r\n\r\n')),
  )
  const kernel = createKernel({ logger, plugins: [hold], overrides: [override(RateLimits, countingLimits())] })
  const { port } = await kernel.listen()
  const socket = connect(port, '127.0.0.1')
  socket.write(handshake('/hold'))
  await once(socket, 'data')
  const closed = once(socket, 'close')
  await kernel.stop()
  await closed
  t.pass('the socket is closed')
})
