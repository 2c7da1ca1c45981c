import t from 'tap'
import { Events, RateLimits, redis } from '../../dist/index.js'
import { createMemoryRateLimits } from '../../dist/security/rate-limits-memory.js'
import { createTestKernel, missingRedis, skipWithout, startRedis, type TestKernel } from '../../dist/testing/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

type Tap = typeof t

const limit = { name: 'test.login', points: 3, windowSeconds: 60 }

/** What every way to count must do. */
function counts(t: Pick<Tap, 'test'>, make: () => Promise<RateLimits>): void {
  t.test('allows as many as the limit says, for each key and each limit', async (t) => {
    const limits = await make()
    const decisions = []
    for (let count = 0; count < 5; count += 1) decisions.push(await limits.consume(limit, 'a'))
    t.match(decisions, [
      { allowed: true, remaining: 2 },
      { allowed: true, remaining: 1 },
      { allowed: true, remaining: 0 },
      { allowed: false },
      { allowed: false },
    ])
    const refused = decisions[4]
    t.ok(refused?.allowed === false && refused.retryAfterSeconds > 0 && refused.retryAfterSeconds <= 60)
    t.match(await limits.consume(limit, 'b'), { allowed: true, remaining: 2 })
    t.match(await limits.consume({ ...limit, name: 'test.other' }, 'a'), { allowed: true, remaining: 2 })
  })
  t.test('counts those that come at once', async (t) => {
    const limits = await make()
    const decisions = await Promise.all(Array.from({ length: 20 }, () => limits.consume(limit, 'at once')))
    t.equal(decisions.filter(({ allowed }) => allowed).length, 3)
  })
  t.test('gives a point back, but none that was not taken', async (t) => {
    const limits = await make()
    await limits.refund(limit, 'refunded')
    await limits.consume(limit, 'refunded')
    await limits.refund(limit, 'refunded')
    await limits.refund(limit, 'refunded')
    t.match(await limits.consume(limit, 'refunded'), { allowed: true, remaining: 2 })
  })
  t.test('gives all points back', async (t) => {
    const limits = await make()
    for (let count = 0; count < 5; count += 1) await limits.consume(limit, 'reset')
    await limits.reset(limit, 'reset')
    t.match(await limits.consume(limit, 'reset'), { allowed: true, remaining: 2 })
  })
}

t.test('in memory', async (t) => {
  counts(t, async () => createMemoryRateLimits())

  await t.test('a window ends', async (t) => {
    let time = 0
    const limits = createMemoryRateLimits(() => time)
    for (let count = 0; count < 4; count += 1) await limits.consume(limit, 'a')
    time = 59_500
    t.same(await limits.consume(limit, 'a'), { allowed: false, retryAfterSeconds: 1 })
    time = 60_000
    await limits.refund(limit, 'a')
    t.match(await limits.consume(limit, 'a'), { allowed: true, remaining: 2 })
  })

  await t.test('of any number of keys only so many are kept, the latest', async (t) => {
    const limits = createMemoryRateLimits()
    for (let key = 0; key < 110_000; key += 1) await limits.consume(limit, `key number ${key}`)
    t.match(await limits.consume(limit, 'key number 109999'), { allowed: true, remaining: 1 })
    t.match(await limits.consume(limit, 'key number 0'), { allowed: true, remaining: 2 })
  })
})

t.test('in Redis', { skip: skipWithout('Redis', missingRedis()) }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server[Symbol.asyncDispose]())
  const start = (): Promise<TestKernel> =>
    createTestKernel({ plugins: [redis({ url: server.url }), needs(RateLimits, Events)] })
  const kernel = await start()
  t.teardown(() => kernel.stop())
  const limits = kernel.get(RateLimits)

  counts(t, async () => {
    await server.stop()
    await server.start()
    return eventually(async () => {
      await limits.consume({ ...limit, name: 'test.probe' }, String(Math.random()))
      return limits
    })
  })

  await t.test('instances count together', async (t) => {
    const other = await start()
    for (const instance of [kernel, other, kernel]) await instance.get(RateLimits).consume(limit, 'shared')
    t.match(await other.get(RateLimits).consume(limit, 'shared'), { allowed: false })
    await other.stop()
  })

  await t.test('nothing is allowed while Redis is away', async (t) => {
    await server.stop()
    for (const work of [limits.consume, limits.refund, limits.reset]) {
      const error = await rejection(work(limit, 'away') as Promise<unknown>)
      t.equal(error.code, 'CORE_ERR_UNAVAILABLE')
      t.equal(error.status, 503)
      t.ok((error.retryAfter ?? 0) > 0)
    }
    await server.start()
    await eventually(() => limits.consume(limit, 'back'))
    t.notMatch(kernel.log.text, server.password)
  })
})
