import { createTestLogger } from '@sallyport/core/testing'
import fc from 'fast-check'
import t from 'tap'
import { gatherNews, listNews } from '../../dist/live/list-news.js'
import { createListDigests } from '../../dist/live/list-reading.js'
import { createPaced } from '../../dist/live/paced.js'
import { createSubscriber } from '../../dist/live/subscriber.js'
import { until } from '../support/until.js'

interface Item {
  readonly id: string
  readonly value: number
  readonly noise: number
}

const { logger } = createTestLogger()
const essence = ({ id, value }: Item) => ({ id, value })

/** What is in a frame. */
function data(frame: Buffer): { reset: boolean; items: Item[]; removed: string[] } {
  return JSON.parse(/^event: things\ndata: (.*)\n\n$/.exec(frame.toString())?.[1] as string)
}

t.test('a reading tells what is new, different and gone', async (t) => {
  const digests = createListDigests<Item>('things', essence)
  const item = (id: string, value: number): Item => ({ id, value, noise: Math.random() })
  const first = await digests.accept([item('a', 1), item('b', 1)])
  t.match(data(first.all()), { reset: true, items: [{ id: 'a' }, { id: 'b' }], removed: [] })
  const same = await digests.accept([item('b', 1), item('a', 1)])
  t.equal(same.delta(), undefined, 'order and noise are nothing')
  const other = await digests.accept([item('b', 2), item('c', 1)])
  t.same([...other.touched].sort(), ['a', 'b', 'c'])
  const delta = other.delta()
  t.match(data(delta as Buffer), { reset: false, removed: ['a'] })
  t.same(
    data(delta as Buffer)
      .items.map(({ id }) => id)
      .sort(),
    ['b', 'c'],
  )
  t.equal(other.delta(), delta, 'made once')
})

t.test('whoever is told now and then ends up with what there is', async (t) => {
  const step = fc.record({
    list: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor'), fc.nat(2), {
      noNullPrototype: false,
    }),
    ready: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const digests = createListDigests<Item>('devices', essence)
      const known = new Map<string, number>()
      const stream = {
        ready: true,
        principal: undefined,
        check: async () => undefined,
        end: () => undefined,
        send(frame: Buffer) {
          const { reset, items, removed } = JSON.parse(frame.toString().split('\ndata: ')[1] as string)
          if (reset) known.clear()
          for (const { id, value } of items as Item[]) known.set(id, value)
          for (const id of removed as string[]) known.delete(id)
        },
      }
      const subscriber = createSubscriber(stream)
      let list: Item[] = []
      for (const { list: values, ready } of steps) {
        list = Object.entries(values).map(([id, value]) => ({ id, value, noise: 0 }))
        stream.ready = ready
        subscriber.deliver('devices', await digests.accept(list))
      }
      stream.ready = true
      if ([...subscriber.behind()].length > 0 || steps.length === 0) {
        subscriber.deliver('devices', await digests.accept(list))
      }
      const now = Object.fromEntries(list.map(({ id, value }) => [id, value]))
      return JSON.stringify(Object.entries(now).sort()) === JSON.stringify([...known].sort())
    }),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('news are gathered, and too many are everything', (t) => {
  const news = gatherNews()
  news.add(listNews({ devices: new Set(['a']) }))
  news.add(listNews({ devices: new Set(['a', 'b']), relays: true }))
  news.add(listNews({ allocations: new Set(['c']) }))
  t.same(news.take(), {
    all: false,
    allAllocations: false,
    devices: new Set(['a', 'b']),
    allocations: new Set(['c']),
    relays: true,
  })
  t.same(news.take(), listNews({}), 'and are told once')
  news.add(listNews({ devices: new Set(Array.from({ length: 20_001 }, (_, n) => `${n}`)) }))
  news.add(listNews({ devices: new Set(['d']) }))
  const all = news.take()
  t.ok(all.all)
  t.equal(all.devices.size, 0)
  t.end()
})

t.test('what is asked for often is done now and then, and not in vain', async (t) => {
  let [runs, running] = [0, 0]
  const begun: number[] = []
  const paced = createPaced({
    what: 'counting',
    logger,
    inTurn: (work) => work(),
    async work() {
      t.equal(running, 0, 'one at a time')
      running += 1
      begun.push(performance.now())
      await new Promise((resolve) => setTimeout(resolve, 5))
      running -= 1
      runs += 1
      if (runs === 1) throw new Error('the first fails')
    },
  })
  paced.soon()
  paced.soon()
  await until('it is tried again', () => runs === 2)
  for (let n = 0; n < 50; n += 1) paced.ask()
  await until('the third', () => runs === 3)
  t.ok((begun[2] as number) - (begun[1] as number) >= 990, 'a pause')
  paced.ask()
  await paced.stop()
  t.equal(runs, 3)
})
