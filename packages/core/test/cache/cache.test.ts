import t from 'tap'
import { Cache, Redis, redis } from '../../dist/index.js'
import { createTestKernel, missingRedis, skipWithout, startRedis, type TestKernel } from '../../dist/testing/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'

t.test('in memory', async (t) => {
  await using kernel = await createTestKernel({ http: false, plugins: [needs(Cache)] })
  const cache = kernel.get(Cache)

  await t.test('gives back what was put in, as a copy', async (t) => {
    const store = cache.namespace<{ list: number[] } | string>('test.values')
    const value = { list: [1] }
    await store.set('a', value)
    value.list.push(2)
    t.same(await store.get('a'), { list: [1] })
    for (const text of ['', ':', '::a', ':base64:AAAA', 'ü\0']) {
      await store.set('text', text)
      t.equal(await store.get('text'), text)
    }
    t.equal(await store.get('missing'), undefined)
    t.ok(await store.delete('a'))
    t.equal(await store.get('a'), undefined)
  })

  await t.test('keeps namespaces apart', async (t) => {
    const [one, two] = [cache.namespace<number>('test.one'), cache.namespace<number>('test.two')]
    await one.set('a', 1)
    await two.set('a', 2)
    t.equal(await one.get('a'), 1)
    await one.clear()
    t.equal(await one.get('a'), undefined)
    t.equal(await two.get('a'), 2)
    t.equal(cache.namespace('test.one'), one)
    t.throws(() => cache.namespace('not::a name'), { code: 'CORE_ERR_ARGUMENT_INVALID' })
  })

  await t.test('forgets the least recently used beyond its bound', async (t) => {
    const store = cache.namespace<number>('test.bounded', { maxEntries: 10 })
    for (let index = 0; index < 100; index += 1) await store.set(`key ${index}`, index)
    const found = await Promise.all(Array.from({ length: 100 }, (_, index) => store.get(`key ${index}`)))
    t.equal(found.filter((value) => value !== undefined).length, 10)
    t.equal(found[99], 99)
  })

  await t.test('forgets after the time to live', async (t) => {
    const store = cache.namespace<number>('test.brief', { ttlMs: 2_000 })
    await store.set('a', 1)
    t.equal(await store.get('a'), 1)
    await eventually(async () => (await store.get('a')) === undefined)
  })
})

t.test('in Redis', { skip: skipWithout('Redis', missingRedis()) }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server[Symbol.asyncDispose]())
  const start = (): Promise<TestKernel> =>
    createTestKernel({ http: false, plugins: [redis({ url: server.url }), needs(Cache, Redis)] })
  const kernel = await start()
  t.teardown(() => kernel.stop())
  const cache = kernel.get(Cache)

  await t.test('instances share it', async (t) => {
    await using other = await start()
    const here = cache.namespace<{ n: number }>('test.shared')
    const there = other.get(Cache).namespace<{ n: number }>('test.shared')
    await here.set('a', { n: 1 })
    t.same(await there.get('a'), { n: 1 })
    await there.delete('a')
    t.equal(await here.get('a'), undefined)
  })

  await t.test('keeps namespaces apart, and their time to live', async (t) => {
    const [one, two] = [cache.namespace<number>('test.one', { ttlMs: 5_000 }), cache.namespace<number>('test.two')]
    await one.set('a', 1)
    await two.set('a', 2)
    t.equal(await one.get('a'), 1)
    const { client, prefix } = kernel.get(Redis)
    const ttl = await client?.pTTL(`${prefix}cache:test.one::a`)
    t.ok(Number(ttl) > 0 && Number(ttl) <= 5_000, `${ttl}`)
    await one.clear()
    t.equal(await two.get('a'), 2)
  })

  await t.test('what somebody else wrote there is a miss', async (t) => {
    const { client, prefix } = kernel.get(Redis)
    const store = cache.namespace('test.damaged')
    for (const text of ['', '{', 'null', '7', '[]', '{"value', '"text"', '{}']) {
      await client?.set(`${prefix}cache:test.damaged::a`, text)
      t.equal(await store.get('a'), undefined, text)
    }
    await client?.del(`${prefix}cache:test.damaged::a`)
    await client?.lPush(`${prefix}cache:test.damaged::a`, 'a list')
    t.equal(await store.get('a'), undefined, 'a list')
  })

  await t.test('is empty while Redis is away, says so once, and works again', async (t) => {
    const store = cache.namespace<number>('test.away')
    await store.set('a', 1)
    await server.stop()
    await eventually(() => !kernel.get(Redis).client?.isReady)
    const warnings = (): number => kernel.log.lines.filter(({ msg }) => msg === 'the cache does not work').length
    const before = warnings()
    for (let count = 0; count < 5; count += 1) {
      t.equal(await store.get('a'), undefined)
      await store.set('a', 2)
      await store.delete('a')
      await store.clear()
    }
    t.ok(warnings() <= before + 1)
    await server.start()
    await eventually(async () => {
      await store.set('a', 3)
      return (await store.get('a')) === 3
    })
    t.notMatch(kernel.log.text, server.password)
  })
})
