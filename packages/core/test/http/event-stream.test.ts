import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import {
  Authenticator,
  coreErrors,
  createKernel,
  definePlugin,
  type EventStream,
  type EventStreamOptions,
  eventFrame,
  eventStream,
  type Http,
  http,
  type Kernel,
} from '../../dist/index.js'
import { createTestLogger } from '../../dist/testing/index.js'
import { problem, routes, start } from './support.js'

/** The streams that a route has open, and what became of them. */
interface Book {
  readonly open: Set<EventStream>
  readonly log: string[]
  add(service: Http): void
}

function book(options: EventStreamOptions = {}): Book {
  const open = new Set<EventStream>()
  const log: string[] = []
  return {
    open,
    log,
    add(service) {
      service.route({
        method: 'GET',
        url: '/api/stream',
        access: 'optional',
        summary: 's',
        tag: 't',
        produces: 'text/event-stream',
        handler: () =>
          eventStream((stream) => {
            log.push('open')
            if (open.size === 3) throw coreErrors.UNAVAILABLE({ reason: 'Full' })
            open.add(stream)
            stream.send(eventFrame('early', '1'))
            return {
              resume() {
                log.push('resume')
                stream.send(eventFrame('hello', JSON.stringify({ name: stream.principal?.id ?? null })))
              },
              principalChanged: ({ id }) => void log.push(`changed ${id}`),
              ended() {
                log.push('ended')
                open.delete(stream)
              },
            }
          }, options),
      })
    },
  }
}

interface Reader {
  readonly response: IncomingMessage
  readonly text: () => string
  readonly closed: Promise<void>
}

async function read(url: string, headers: Record<string, string> = {}): Promise<Reader> {
  const request = get(new URL('/api/stream', url), { headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  response.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
  return { response, text: () => text, closed }
}

async function until(what: string, condition: () => unknown): Promise<void> {
  for (const end = performance.now() + 10_000; !condition(); await delay(5)) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`)
  }
}

function makeKernel(of: Book): Kernel {
  const { logger } = createTestLogger()
  return createKernel({ logger, plugins: [routes(of.add)] })
}

async function reads(t: Test, of: Book, url: string): Promise<void> {
  const reader = await read(url, { 'accept-encoding': 'gzip' })
  t.equal(reader.response.statusCode, 200)
  t.match(reader.response.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-request-id': String,
  })
  t.equal(reader.response.headers['content-encoding'], undefined)
  await until('the first event', () => /^retry: \d+\n\nevent: hello\ndata: {"name":null}\n\n$/.test(reader.text()))
  for (const stream of of.open) stream.send(eventFrame('more', '{"a":"b\\n"}'))
  await until('another', () => reader.text().endsWith('event: more\ndata: {"a":"b\\n"}\n\n'))
  reader.response.destroy()
  await until('its end', () => of.open.size === 0)
  t.same(of.log, ['open', 'resume', 'ended'])
}

t.test('when it listens by itself', async (t) => {
  const of = book()
  await using panel = await start(of.add)
  await reads(t, of, panel.url)
})

t.test('in a host’s Fastify app that changes all answers, and that closes without waiting', async (t) => {
  const of = book()
  const kernel = makeKernel(of)
  t.teardown(() => kernel.stop())
  const app = fastify({ handlerTimeout: 200 } as object)
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.header('content-encoding', 'gzip')
    const gzip = createGzip()
    gzip.end(payload)
    return gzip
  })
  await kernel.start()
  await app.register(kernel.fastify)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  await reads(t, of, url)
  const reader = await read(url)
  await delay(300)
  t.notOk(reader.response.closed, 'no time to answer is over')
  await app.close()
  await reader.closed
  t.equal(of.open.size, 0)
})

t.test('in any server, behind a layer that compresses as Express does', async (t) => {
  const of = book()
  const kernel = makeKernel(of)
  await kernel.start()
  const server = createServer((request, response) => {
    // What `compression` does: it looks at the headers when they are written.
    const writeHead = response.writeHead.bind(response)
    response.writeHead = ((status: number, headers: Record<string, string>) => {
      const transforms = !/no-transform/.test(String(headers['cache-control'] ?? response.getHeader('cache-control')))
      return writeHead(status, transforms ? { ...headers, 'content-encoding': 'gzip' } : headers)
    }) as typeof response.writeHead
    kernel.handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await reads(t, of, url)
  const reader = await read(url)
  const stopped = kernel.stop()
  await reader.closed
  await stopped
  server.close()
  await once(server, 'close')
})

t.test('an error at the beginning is an answer as any other; HEAD opens nothing', async (t) => {
  const of = book()
  await using panel = await start(of.add)
  const head = await panel.fetch('/api/stream', { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(head.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  t.same(of.log, [])
  const readers = await Promise.all([read(panel.url), read(panel.url), read(panel.url)])
  const answer = await problem(await panel.fetch('/api/stream'))
  t.match(answer, { status: 503, detail: 'Full' })
  for (const { response } of readers) response.destroy()
  await until('their end', () => of.open.size === 0)
})

t.test('a stop ends streams, and waits for none', async (t) => {
  const of = book()
  const panel = await start(of.add, { drainTimeoutMs: 30_000 })
  const readers = await Promise.all([read(panel.url), read(panel.url)])
  const begun = performance.now()
  await panel.stop()
  t.ok(performance.now() - begun < 5_000)
  for (const { closed, response } of readers) {
    await closed
    t.ok(response.complete, 'ended, not cut')
  }
  t.equal(of.open.size, 0)
})

t.test('heartbeats, and an end of its life', async (t) => {
  const of = book({ heartbeatMs: 20, lifeMs: 2_000 })
  await using panel = await start(of.add)
  const reader = await read(panel.url)
  await reader.closed
  t.ok(reader.response.complete)
  t.ok(reader.text().split('\n:\n\n').length > 3)
})

t.test('a reader that takes nothing', async (t) => {
  const of = book({ heartbeatMs: 50, stalledMs: 500, maxWaitingBytes: 100_000 })
  await using panel = await start(of.add)
  const reader = await read(panel.url)
  reader.response.pause()
  await until('it is open', () => of.open.size === 1)
  const [stream] = of.open
  const frame = eventFrame('large', JSON.stringify('x'.repeat(1_000_000)))
  let sent = 0
  for (; stream?.ready && sent < 100; sent += 1) {
    stream.send(frame)
    await delay(2)
  }
  t.ok(sent < 100, `not ready after ${sent} MB`)
  await until('it is cut', () => of.open.size === 0)
  reader.response.resume()
  await reader.closed
})

t.test('a reader that was slow is ready again', async (t) => {
  const of = book({ maxWaitingBytes: 100_000 })
  await using panel = await start(of.add)
  const reader = await read(panel.url)
  reader.response.pause()
  await until('it is open', () => of.open.size === 1)
  const [stream] = of.open
  const frame = eventFrame('large', JSON.stringify('x'.repeat(1_000_000)))
  for (let sent = 0; stream?.ready && sent < 100; sent += 1) {
    stream.send(frame)
    await delay(2)
  }
  t.equal(stream?.ready, false)
  const before = of.log.filter((line) => line === 'resume').length
  reader.response.resume()
  await until('it may be told more', () => of.log.filter((line) => line === 'resume').length > before)
  t.equal(stream?.ready, true)
  reader.response.destroy()
  await until('its end', () => of.open.size === 0)
})

t.test('credentials that change, and that end', async (t) => {
  const grant = { id: 'ann', permissions: ['a:b'] as string[], revoked: false, guarded: false }
  const strategy = definePlugin({
    name: 'test-strategy',
    version: '1.0.0',
    requires: { authenticator: Authenticator },
    setup({ services }) {
      services.authenticator.use({
        name: 'test',
        schemes: ['Test'],
        authenticate({ headers }) {
          if (headers['authorization'] !== 'Test x') return { kind: 'absent' }
          if (grant.revoked) return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
          const { id, permissions } = grant
          const principal = { kind: 'user', id, userId: id, permissions, memberships: [], strategy: 'test' } as const
          return { kind: 'authenticated', principal }
        },
      })
    },
  })
  const of = book({ checkMs: 20 })
  const add = (service: Http): void => {
    of.add(service)
    service.guard('/api/stream', () => {
      if (grant.guarded) throw coreErrors.FEATURE_DISABLED({ feature: 'x' })
    })
  }
  await using panel = await start(add, { plugins: [strategy(), http({ basePath: '' })] })
  const authorization = { authorization: 'Test x' }
  const ends: [string, () => void][] = [
    ['revoked', () => Object.assign(grant, { revoked: true })],
    ['another’s', () => Object.assign(grant, { id: 'ben' })],
    ['a guard', () => Object.assign(grant, { guarded: true })],
  ]
  for (const [name, end] of ends) {
    Object.assign(grant, { id: 'ann', permissions: ['a:b'], revoked: false, guarded: false })
    const reader = await read(panel.url, authorization)
    await until('the first event', () => reader.text().includes('{"name":"ann"}'))
    await until('it is looked at', () => of.log.includes('changed ann'))
    end()
    await reader.closed
    t.ok(reader.response.complete, name)
    t.equal(of.open.size, 0, name)
  }
})

t.test('leaves nothing behind', async (t) => {
  const of = book()
  await using panel = await start(of.add)
  const handles = (): number => process.getActiveResourcesInfo().filter((kind) => /Timeout|TCPSocket/.test(kind)).length
  const cycle = async (): Promise<void> => {
    const reader = await read(panel.url)
    reader.response.destroy()
    await until('its end', () => of.open.size === 0)
  }
  await cycle()
  const before = handles()
  for (let count = 0; count < 100; count += 1) await cycle()
  await until(`handles: ${before}`, () => handles() <= before + 2)
  t.pass()
})

t.test('one that waits behind another on its connection goes with it', async (t) => {
  const of = book({ checkMs: 50 })
  await using panel = await start(of.add)
  const { hostname, port } = new URL(panel.url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write('GET /api/stream HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2))
  await until('both are open', () => of.open.size === 2)
  socket.destroy()
  await until('their end', () => of.open.size === 0)
  t.pass()
})

const publicStream = {
  ...({ method: 'GET', url: '/api/stream', access: 'public' } as const),
  ...{ summary: 's', tag: 't', produces: 'text/event-stream' },
}

t.test('a handler that is too late opens nothing', async (t) => {
  const log: string[] = []
  let late: Promise<unknown> | undefined
  const add = (service: Http): void =>
    service.route({
      ...publicStream,
      handler: async () => {
        late = delay(200)
        await late
        return eventStream(() => {
          log.push('open')
          return { resume: () => undefined, ended: () => undefined }
        })
      },
    })
  await using panel = await start(add, { plugins: [http({ handlerTimeoutMs: 50 })] })
  t.equal((await panel.fetch('/api/stream')).status, 503)
  await late
  // What follows in the handler is done in turns of the same wait.
  await new Promise((resolve) => setImmediate(resolve))
  t.same(log, [])
})

t.test('a feed that throws ends its own stream and nothing else', async (t) => {
  let ended = 0
  const add = (service: Http): void =>
    service.route({
      ...publicStream,
      handler: () =>
        eventStream(() => ({
          resume: () => {
            throw new Error('nothing to tell')
          },
          ended: () => {
            ended += 1
            throw new Error('nothing to end')
          },
        })),
    })
  await using panel = await start(add)
  await (await read(panel.url)).closed
  t.equal(ended, 1)
  t.equal((await panel.fetch('/api/nothing')).status, 404, 'the panel serves on')
})
