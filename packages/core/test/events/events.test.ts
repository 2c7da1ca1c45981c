import fc from 'fast-check'
import t from 'tap'
import { decodeEventMessage, encodeEventMessage } from '../../dist/events/event-message.js'
import { defineEvent, type EventOrigin, Events, Redis, redis } from '../../dist/index.js'
import { createTestKernel, missingRedis, skipWithout, startRedis, type TestKernel } from '../../dist/testing/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

const happened = defineEvent<{ readonly n: number }>('test.thing.happened')

t.test('on one instance', async (t) => {
  await using kernel = await createTestKernel({ http: false, plugins: [needs(Events)] })
  const events = kernel.get(Events)

  await t.test('handlers run one after the other, whatever one of them does', async (t) => {
    const log: string[] = []
    const undo = [
      events.on(happened, async ({ n }, { remote }) => {
        log.push(`a ${n} ${remote}`)
        await Promise.resolve()
        log.push('a ends')
      }),
      events.on(happened, () => {
        throw new Error('on purpose')
      }),
      events.on(happened, () => Promise.reject(new Error('on purpose'))),
      events.on(happened, () => void log.push('b')),
    ]
    await events.emit(happened, { n: 1 })
    t.same(log, ['a 1 false', 'a ends', 'b'])
    t.equal(kernel.log.lines.filter(({ msg }) => msg === 'an event handler failed').length, 2)
    for (const off of undo) off()
    await events.emit(happened, { n: 2 })
    t.equal(log.length, 3)
  })

  await t.test('a handler cannot change what the emitter holds', async (t) => {
    const payload = { n: 1 }
    const off = events.on(happened, (given) => {
      Object.assign(given, { n: 2 })
    })
    await events.emit(happened, payload)
    off()
    t.equal(payload.n, 1)
  })

  await t.test('one handler twice is two, each undone by itself', async (t) => {
    let count = 0
    const handler = (): void => {
      count += 1
    }
    const [first, second] = [events.on(happened, handler), events.on(happened, handler)]
    await events.emit(happened, { n: 1 })
    first()
    first()
    await events.emit(happened, { n: 1 })
    second()
    t.equal(count, 3)
  })

  await t.test('a payload that is too large is the emitter’s mistake', async (t) => {
    const event = defineEvent<string>('test.large')
    await t.rejects(events.emit(event, 'x'.repeat(70_000)), { code: 'CORE_ERR_ARGUMENT_INVALID' })
  })
})

t.test('messages', async (t) => {
  const message = { from: 'a', name: 'b', payload: { c: [1] } }
  t.same(decodeEventMessage(encodeEventMessage(message)), message)
  for (const text of ['', '{', 'null', '7', '[]', '{"from":1,"name":"b"}', '{"from":"a"}', ' '.repeat(70_000)]) {
    t.equal(decodeEventMessage(text), undefined, text.slice(0, 20))
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof decodeEventMessage(text) !== 'string'))
})

t.test('between instances', { skip: skipWithout('Redis', missingRedis()) }, async (t) => {
  const server = await startRedis()
  t.teardown(() => server[Symbol.asyncDispose]())
  const start = (): Promise<TestKernel> =>
    createTestKernel({ http: false, plugins: [redis({ url: server.url }), needs(Events, Redis)] })
  const [one, two] = [await start(), await start()]
  t.teardown(() => Promise.all([one.stop(), two.stop()]))
  const seen: { at: string; n: number; remote: boolean }[] = []
  for (const [at, kernel] of Object.entries({ one, two })) {
    kernel.get(Events).on(happened, ({ n }, { remote }: EventOrigin) => void seen.push({ at, n, remote }))
  }
  const seenOf = (n: number): typeof seen => seen.filter((entry) => entry.n === n)

  await t.test('each is told once', async (t) => {
    await one.get(Events).emit(happened, { n: 1 })
    await two.get(Events).emit(happened, { n: 2 })
    await eventually(() => seenOf(2).length === 2)
    t.same(seenOf(1), [
      { at: 'one', n: 1, remote: false },
      { at: 'two', n: 1, remote: true },
    ])
    t.same(new Set(seenOf(2).map(({ at, remote }) => `${at} ${remote}`)), new Set(['two false', 'one true']))
  })

  await t.test('what is no event is passed over', async (t) => {
    const { client, prefix } = two.get(Redis)
    for (const text of ['', '{', 'null', '{"from":"x","name":7}', '{"from":"x","name":""}', 'x'.repeat(100_000)]) {
      await client?.publish(`${prefix}events`, text)
    }
    await two.get(Events).emit(happened, { n: 3 })
    await eventually(() => seenOf(3).length === 2)
    t.equal(one.log.lines.filter(({ level }) => level >= 50).length, 0)
  })

  await t.test('what is emitted while Redis is away arrives when it is back, in order', async (t) => {
    let resyncs = 0
    const off = two.get(Events).onResync(() => {
      resyncs += 1
    })
    await server.stop()
    await eventually(() => !one.get(Redis).client?.isReady && !two.get(Redis).subscriber?.isReady)
    const begin = performance.now()
    await Promise.all([10, 11, 12].map((n) => one.get(Events).emit(happened, { n })))
    t.ok(performance.now() - begin < 4_000)
    t.same(
      seen.filter(({ n }) => n >= 10).map(({ at }) => at),
      ['one', 'one', 'one'],
      'this instance is told at once',
    )
    // The subscriber is back before the events are sent, or it could not be told.
    const { subscriber } = two.get(Redis)
    const { client } = one.get(Redis)
    await server.start()
    await eventually(() => subscriber?.isReady && client?.isReady)
    await eventually(() => resyncs > 0)
    await one.get(Events).emit(happened, { n: 20 })
    await eventually(() => seenOf(20).length === 2)
    const arrived = seen.filter(({ at, n }) => at === 'two' && n >= 10).map(({ n }) => n)
    t.equal(arrived.at(-1), 20)
    t.same([...arrived].sort(), arrived)
    off()
    t.notMatch(one.log.text, server.password)
  })

  await t.test('a Redis that hung is heard again', async (t) => {
    const { subscriber } = two.get(Redis)
    server.pause()
    try {
      await eventually(() => !subscriber?.isReady)
    } finally {
      server.resume()
    }
    await eventually(async () => {
      await one.get(Events).emit(happened, { n: 30 })
      return seenOf(30).some(({ at }) => at === 'two')
    })
    t.notMatch(two.log.text, server.password)
  })
})
