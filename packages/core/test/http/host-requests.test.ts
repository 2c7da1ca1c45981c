// What a host's own routes and server are given: who asks, and what is not the kernel's.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import {
  type Access,
  Authenticator,
  coreErrors,
  createKernel,
  definePlugin,
  type Http,
  http,
  type Kernel,
  override,
  RateLimits,
  type SallyportError,
} from '../../dist/index.js'
import { createTestLogger } from '../../dist/testing/index.js'
import { rejection } from '../support/reject.js'
import { countingLimits, raw, routes } from './support.js'

const strategy = definePlugin({
  name: 'test-strategy',
  version: '1.0.0',
  requires: { authenticator: Authenticator },
  setup({ services }) {
    services.authenticator.use({
      name: 'test',
      schemes: ['Bearer'],
      authenticate({ headers, ip }) {
        const name = String(headers['authorization'] ?? '').slice('Bearer '.length)
        if (name === '') return { kind: 'absent' }
        if (name === 'wrong') return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
        if (name === 'broken') throw new Error('the session store is broken')
        if (name === 'away') throw coreErrors.UNAVAILABLE({ reason: 'The cache is away' }, { retryAfter: 7 })
        const kind = name === 'device' ? 'device' : 'user'
        const principal = { kind, id: name, name: ip, permissions: ['servers:read'], memberships: [], strategy: 'test' }
        return { kind: 'authenticated', principal: { ...principal, kind } as const }
      },
    })
  },
})

function makeKernel(
  add: (service: Http) => void = () => undefined,
  basePath = '',
  { logger } = createTestLogger(),
): Kernel {
  return createKernel({
    logger,
    plugins: [strategy(), routes(add), http({ basePath, trustedProxies: ['127.0.0.1'] })],
    overrides: [override(RateLimits, countingLimits())],
  })
}

async function serve(
  t: Test,
  listener: RequestListener,
): Promise<{ url: string; server: ReturnType<typeof createServer> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function request(name?: string): IncomingMessage {
  const headers = name === undefined ? {} : { authorization: `Bearer ${name}`, 'x-forwarded-for': '192.0.2.7' }
  return {
    method: 'GET',
    headers,
    rawHeaders: [],
    socket: { remoteAddress: '127.0.0.1' },
  } as unknown as IncomingMessage
}

t.test('tells a host’s own route who asks', async (t) => {
  const kernel = makeKernel()
  const early = await rejection(kernel.authenticate(request('ada')))
  t.match(early, { status: 503, code: 'CORE_ERR_UNAVAILABLE' }, 'not before it is started')
  await kernel.start()
  t.teardown(() => kernel.stop())

  const ada = await kernel.authenticate(request('ada'))
  t.match(ada, { id: 'ada', name: '192.0.2.7' }, 'by Node’s request, behind a trusted proxy')
  t.match(await kernel.authenticate({ raw: request('ada'), ip: '192.0.2.9' }), { name: '192.0.2.9' }, 'by Fastify’s')
  t.equal(await kernel.authenticate(request(), 'optional'), undefined)
  t.equal((await kernel.authenticate(request('ada'), 'optional'))?.id, 'ada')
  t.equal((await kernel.authenticate(request('ada'), { permission: 'servers:read' })).id, 'ada')
  t.equal((await kernel.authenticate(request('device'), { kinds: ['device'] })).id, 'device')
  t.equal(await kernel.authenticate(request('wrong'), 'public'), undefined, 'credentials are not looked at')

  const refused = (name: string | undefined, access?: Access): Promise<SallyportError> =>
    rejection(kernel.authenticate(request(name), access))
  const challenge = { 'www-authenticate': 'Bearer realm="sallyport"' }
  t.match(await refused(undefined), { status: 401, error: 'unauthenticated', headers: challenge })
  t.match(await refused('wrong', 'optional'), { status: 401, error: 'invalid_credentials', headers: challenge })
  t.match(await refused('device'), { status: 403, error: 'forbidden' })
  t.match(await refused('ada', { permission: 'servers:write' }), { status: 403, code: 'CORE_ERR_PERMISSION_REQUIRED' })
  t.match(await refused('away'), { status: 503, headers: { 'retry-after': '7' } })
  for (const slip of ['admin', {}, { permisson: 'servers:read' }, { permission: undefined }, { kinds: 'user' }]) {
    t.match(await refused('ada', slip as Access), { code: 'CORE_ERR_ARGUMENT_INVALID' }, 'opens nothing by mistake')
  }
  const broken = kernel.authenticate(request('broken'))
  await t.rejects(broken, { message: 'the session store is broken' }, 'a fault is the host’s to handle as any other')

  await kernel.stop()
  t.match(await refused('ada'), { status: 503 })
})

t.test('is understood by Fastify without an error handler of the host’s', async (t) => {
  const kernel = makeKernel()
  const app = fastify()
  await app.register(kernel.fastify)
  app.get('/own', async (request) => ({ id: (await kernel.authenticate(request)).id }))
  t.teardown(() => app.close())
  t.same((await app.inject({ url: '/own', headers: { authorization: 'Bearer ada' } })).json(), { id: 'ada' })
  const refused = await app.inject('/own')
  t.match(refused.json(), { statusCode: 401, code: 'CORE_ERR_UNAUTHENTICATED' })
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="sallyport"')
})

const shared = { access: 'public', summary: 's', tag: 't' } as const
function add(service: Http): void {
  service.route({ ...shared, method: 'GET', url: '/api/things/:id', handler: ({ params }) => params })
  service.plugin(async (app) => void app.get('/page', async () => 'a page'))
  service.upgradeRoute('/api/ws', ({ socket }) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nours'))
}

t.test('hands on to the host what is not its own', async (t) => {
  const kernel = makeKernel(add)
  const { url, server } = await serve(t, (request, response) =>
    kernel.handler(request, response, (error) => response.end(`the host ${error ?? ''}`)),
  )
  server.on('upgrade', (request, socket, head) =>
    kernel.upgrade(request, socket, head, () => socket.end('HTTP/1.1 101 x\r\n\r\nthe host')),
  )
  const get = async (path: string): Promise<string> => {
    const response = await fetch(url + path)
    return `${response.status} ${await response.text()}`
  }
  const upgrade = async (path: string): Promise<string> =>
    (await raw(url, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`)).text

  t.match(await get('/api/things/1'), /^200 the host/, 'everything before it is started')
  t.match(await upgrade('/api/ws'), /the host$/)
  await kernel.start()
  t.match(await get('/api/things/1'), /^200 \{"id":"1"\}/)
  t.match(await get('/api/things'), /^404 .*not_found/, 'what is below its first segments')
  t.match(await get('/API/health/live'), /^404 .*not_found/)
  t.match(await get('/page'), '200 a page')
  t.match(await get('/api/ws'), '426')
  t.match(await upgrade('/api/ws'), /ours$/)
  for (const path of ['/', '/api', '/api/thingsx', '/api/other', '/pages', '/%2e%2e/api/other']) {
    t.match(await get(path), /^200 the host/, path)
    t.match(await upgrade(path), /the host$/, path)
  }
  await kernel.stop()
  t.match(await get('/api/things/1'), /^503 .*service_unavailable/, 'its paths are still its own once it is stopped')
  t.match(await get('/'), /^200 the host/, 'and the host’s the host’s')
  t.match(await upgrade('/api/ws'), /the host$/)
})

t.test('with a page for everything nothing is left for the host', async (t) => {
  const kernel = makeKernel((service) => service.plugin(async (app) => void app.get('/*', async () => 'a page')))
  await kernel.start()
  t.teardown(() => kernel.stop())
  const { url } = await serve(t, (request, response) =>
    kernel.handler(request, response, () => response.end('the host')),
  )
  t.equal(await (await fetch(`${url}/anything`)).text(), 'a page')
})

t.test('below a path of an Express app, with the base path or without', async (t) => {
  for (const basePath of ['/panel', '']) {
    const log = createTestLogger()
    const withUpgrades = (service: Http) => {
      add(service)
      service.upgradeRoute('/api/link', () => undefined)
    }
    const kernel = makeKernel(withUpgrades, basePath, log)
    await kernel.start()
    t.teardown(() => kernel.stop())
    const { url } = await serve(t, (request, response) => {
      // As `app.use('/panel', kernel.handler)` does.
      const originalUrl = request.url ?? ''
      const mounted = originalUrl.startsWith('/panel/')
      Object.assign(request, { originalUrl, url: mounted ? originalUrl.slice('/panel'.length) : originalUrl })
      kernel.handler(request, response, () => response.end(`the host ${request.url}`))
    })
    t.same(await (await fetch(`${url}/panel/api/things/1`)).json(), { id: '1' })
    t.equal(await (await fetch(`${url}/panel/other`)).text(), 'the host /other', 'as it came')
    await fetch(`${url}/panel/api/things/2`)
    const warnings = log.lines.filter(({ msg }) => msg?.includes('WebSockets are not found'))
    t.match(warnings, basePath === '' ? [{ mount: '/panel' }] : [], 'upgrades are not cut for us')
    t.equal(warnings.length, basePath === '' ? 1 : 0)
  }
})

t.test('a kernel whose pages cannot be made leaves the host its paths', async (t) => {
  const kernel = makeKernel((service) =>
    service.plugin(async () => {
      throw new Error('broken')
    }),
  )
  await kernel.start()
  t.teardown(() => kernel.stop())
  const { url } = await serve(t, (request, response) =>
    kernel.handler(request, response, () => response.end('the host')),
  )
  t.equal(await (await fetch(url)).text(), 'the host')
  t.equal((await fetch(`${url}/api/health/live`)).status, 500)
})
