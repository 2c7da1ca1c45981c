import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { parseRedisUrl } from '../../dist/cache/redis-url.js'
import { Redis, redis, type SallyportError } from '../../dist/index.js'
import { createTestKernel, missingRedis, skipWithout, startRedis, type TestKernel } from '../../dist/testing/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

const started = (url: string): Promise<TestKernel> => createTestKernel({ plugins: [redis({ url }), needs(Redis)] })

t.test('without a URL there is none', async (t) => {
  await using kernel = await createTestKernel({ http: false, plugins: [needs(Redis)] })
  t.match(kernel.get(Redis), { client: undefined, subscriber: undefined })
})

t.test('reads the parts of a URL', async (t) => {
  t.match(parseRedisUrl('redis://ada:p%40ss@cache.example:7000/3'), {
    place: 'cache.example:7000',
    database: 3,
    password: 'p@ss',
    options: { username: 'ada', password: 'p@ss', database: 3, socket: { host: 'cache.example', port: 7000 } },
  })
  t.match(parseRedisUrl('rediss://[::1]').options.socket, { host: '::1', port: 6379, tls: true })
  const wrong = ['redis://', 'http://h', 'redis://:hunter2%@h', 'redis://:hunter2@h/x', 'redis://:hunter2@h?a=b', '']
  for (const url of wrong) {
    const error = t.throws(() => parseRedisUrl(url), TypeError) as unknown as Error
    t.notMatch(`${error.message} ${JSON.stringify(error)}`, 'hunter2')
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseRedisUrl(`redis://${text}`)
      } catch (error) {
        if (!(error instanceof TypeError) || /Invalid URL/.test(error.message)) throw error
      }
    }),
  )
})

t.test('a server that is not there or does not answer', async (t) => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const begin = performance.now()
  const error = await rejection(started(`redis://:hunter2@127.0.0.1:${port}`))
  t.equal(error.code, 'CORE_ERR_REDIS_UNREACHABLE')
  t.match(error.message, /does not answer/)
  t.ok(performance.now() - begin < 12_000)
  for (const socket of sockets) socket.destroy()
  silent.close()
  await once(silent, 'close')
  const refused = await rejection(started(`redis://:hunter2@127.0.0.1:${port}`))
  t.match(refused.message, `nothing listens at 127.0.0.1:${port}`)
  t.notMatch([error, refused].map((each) => each.stack + JSON.stringify(each)).join(), 'hunter2')
  const none = t.throws(() => redis({ url: 'http://hunter2' })) as unknown as SallyportError
  t.equal(none.code, 'CORE_ERR_CONFIG_INVALID')
  t.notMatch(none.message, 'hunter2')
})

t.test('a real server', { skip: skipWithout('Redis', missingRedis()) }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server[Symbol.asyncDispose]())

  await t.test('refuses a wrong password', async (t) => {
    const url = new URL(server.url)
    url.password = 'hunter2'
    const error = await rejection(started(url.href))
    t.equal(error.code, 'CORE_ERR_REDIS_UNREACHABLE')
    t.match(error.message, /does not let this user in/)
    t.notMatch(error.stack, 'hunter2')
    url.password = ''
    t.match((await rejection(started(url.href))).message, /does not let this user in/)
  })

  await t.test('fails at once while it is away, and works again when it is back', async (t) => {
    await using kernel = await started(server.url)
    const { client } = kernel.get(Redis)
    t.equal(await client?.set('a', 'b'), 'OK')
    t.equal((await kernel.fetch('/api/health/ready')).status, 200)
    await server.stop()
    await eventually(() => !client?.isReady)
    const begin = performance.now()
    await t.rejects(client?.get('a') as Promise<unknown>)
    t.ok(performance.now() - begin < 3_000, 'without the time that an answer is given')
    t.equal((await kernel.fetch('/api/health/ready')).status, 503)
    await server.start()
    await eventually(async () => (await client?.ping()) === 'PONG')
    t.equal((await kernel.fetch('/api/health/ready')).status, 200)
    const said = kernel.log.lines.map(({ msg }) => msg)
    t.ok(said.includes('redis is away'))
    t.ok(said.includes('redis is back'))
    t.notMatch(kernel.log.text, server.password)
  })

  await t.test('that answers no more is given up in time', async (t) => {
    await using kernel = await started(server.url)
    const { client } = kernel.get(Redis)
    server.pause()
    try {
      const begin = performance.now()
      await t.rejects(client?.get('a') as Promise<unknown>)
      t.ok(performance.now() - begin < 10_000, `${performance.now() - begin} ms`)
    } finally {
      server.resume()
    }
    await eventually(async () => (await client?.ping()) === 'PONG')
  })

  await t.test('a kernel is stopped while it is away', async (t) => {
    const kernel = await started(server.url)
    await server.stop()
    await eventually(() => !kernel.get(Redis).client?.isReady)
    await kernel.stop()
    t.equal(kernel.kernel.state, 'stopped')
    await server.start()
  })
})
