import fc from 'fast-check'
import t from 'tap'
import { Bundler } from '../../dist/datagrams/channel-bundler.js'
import { Reassembly } from '../../dist/datagrams/channel-fragments.js'
import { ItemKind, readItems } from '../../dist/datagrams/channel-items.js'
import { TurnEnd } from '../../dist/datagrams/channel-turn.js'

interface Item {
  kind: number
  flow: number
  payload: Buffer
}

const BUDGET = 262_144

/** Bundles as they would be sent in one turn. */
function bundled(items: Item[], maxBytes: number): Buffer[] {
  const turnEnd = new TurnEnd()
  const bundles: Buffer[] = []
  const bundler = new Bundler(turnEnd, maxBytes, { emit: (bundle) => bundles.push(Buffer.from(bundle)) })
  for (const { kind, flow, payload } of items) bundler.add(kind, flow, payload)
  bundler.flush()
  turnEnd.close()
  return bundles
}

function unbundled(bundles: Buffer[], reassembly: Reassembly = new Reassembly(BUDGET)): Item[] {
  const items: Item[] = []
  const keep = (kind: number, flow: number, payload: Buffer) =>
    items.push({ kind, flow, payload: Buffer.from(payload) })
  for (const bundle of bundles)
    readItems(bundle, (kind, flow, payload) => {
      if (kind === ItemKind.FRAGMENT) reassembly.add(flow, payload, 0, keep)
      else keep(kind, flow, payload)
    })
  return items
}

const items = fc.array(
  fc.record({
    kind: fc.integer({ min: 1, max: 31 }),
    flow: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc
      .tuple(fc.oneof(fc.nat(200), fc.nat(3_000), fc.nat(65_507)), fc.nat(255))
      .map(([length, byte]) => Buffer.alloc(length, byte)),
  }),
  { maxLength: 12 },
)

t.test('items of any size come out of bundles of any size, in packets that are no larger', async (t) => {
  fc.assert(
    fc.property(items, fc.constantFrom(1_170, 1_442, 16_000, 61_410), (given, maxBytes) => {
      const bundles = bundled(given, maxBytes)
      t.ok(bundles.every(({ length }) => length <= maxBytes && length > 0))
      const key = ({ kind, flow, payload }: Item) => `${kind} ${flow} ${payload.length} ${payload[0]}`
      t.same(unbundled(bundles).map(key).sort(), given.map(key).sort())
    }),
    { numRuns: 200 },
  )
})

t.test('packets in any order and some of them lost: what comes out was put in', async (t) => {
  const given = [5_000, 100, 20_000, 1_400, 0, 7_000].map((length, flow) => ({
    kind: 4,
    flow,
    payload: Buffer.from(Array.from({ length }, (_, at) => (at * 7 + flow) & 255)),
  }))
  const bundles = bundled(given, 1_170)
  fc.assert(
    fc.property(fc.shuffledSubarray(bundles, { minLength: 1 }), (some) => {
      for (const { flow, payload } of unbundled(some))
        if (given[flow]?.payload.equals(payload) !== true) t.fail(`item ${flow} was changed`)
    }),
  )
  t.equal(unbundled([...bundles].reverse()).length, given.length)
})

t.test('what never becomes whole is bounded, in number, in bytes and in time', async (t) => {
  const reassembly = new Reassembly(BUDGET)
  const none = () => t.fail('nothing is whole')
  const fragment = Buffer.alloc(60_000)
  fragment[1] = 2
  fragment[2] = 4
  for (let id = 0; id < 1_000; id += 1) reassembly.add(id, fragment, 0, none)
  t.equal(reassembly.size, Math.floor(BUDGET / (fragment.length - 7)))
  for (let id = 0; id < 1_000; id += 1) reassembly.add(id, fragment.subarray(0, 8), 1, none)
  t.equal(reassembly.size, 64)
  reassembly.expire(2_100)
  t.equal(reassembly.size, 0)
})

t.test('fragments that contradict each other, or are none, are dropped', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.uint8Array({ maxLength: 40 })), { maxLength: 100 }), (fragments) => {
      const reassembly = new Reassembly(BUDGET)
      for (const [id, bytes] of fragments) reassembly.add(id, Buffer.from(bytes), 0, () => {})
    }),
  )
  const reassembly = new Reassembly(BUDGET)
  const found: number[] = []
  const add = (...bytes: number[]) => reassembly.add(1, Buffer.from(bytes), 0, (_, flow) => found.push(flow))
  add(0, 2, 4, 0, 0, 0, 7, 1)
  add(1, 2, 4, 0, 0, 0, 8, 1)
  add(1, 3, 4, 0, 0, 0, 7, 1)
  add(2, 2, 4, 0, 0, 0, 7, 1)
  add(0, 2, 4, 0, 0, 0, 7, 1)
  t.same(found, [])
  add(1, 2, 4, 0, 0, 0, 7, 1)
  t.same(found, [7])
})

t.test('what an agent left unfinished does not mix with what the next one sends', async (t) => {
  const whole = (fill: number) => [{ kind: ItemKind.DATA, flow: 1, payload: Buffer.alloc(2_000, fill) }]
  const reassembly = new Reassembly(BUDGET)
  const before = bundled(whole(1), 1_170)
  t.same(unbundled(before.slice(0, 1), reassembly), [])
  t.same(unbundled(bundled(whole(2), 1_170), reassembly), whole(2))
})
