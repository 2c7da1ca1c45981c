import t from 'tap'
import { TrafficTotals } from '../../dist/target/traffic-totals.js'

function used(totals: TrafficTotals, relayId: string, allocationId: number): void {
  totals.hold(relayId, allocationId).letGo()
}

function ids(totals: TrafficTotals): string[] {
  return totals.list().map(({ relayId, allocationId }) => `${relayId} ${allocationId}`)
}

t.test('connections of an allocation count on one total, which outlives them', async (t) => {
  const totals = new TrafficTotals()
  totals.join('a')
  const [one, two] = [totals.hold('a', 1), totals.hold('a', 1)]
  t.equal(one.totals, two.totals)
  one.totals.bytesIn += 5
  one.letGo()
  two.letGo()
  t.equal(totals.hold('a', 1).totals.bytesIn, 5)
  const [listed] = totals.list()
  if (listed !== undefined) listed.bytesIn = 0
  t.match(totals.list(), [{ bytesIn: 5 }], 'what is listed is a copy')
})

t.test('each relay has totals of its own', async (t) => {
  const totals = new TrafficTotals()
  for (const relay of ['a', 'b']) {
    totals.join(relay)
    used(totals, relay, 1)
  }
  t.same(ids(totals), ['a 1', 'b 1'])
  totals.leave('a')
  t.same(ids(totals), ['b 1'])
})

t.test('what is not wanted goes, with its last connection at the latest', async (t) => {
  const totals = new TrafficTotals()
  totals.join('a')
  const held = totals.hold('a', 1)
  for (const id of [2, 3]) used(totals, 'a', id)
  totals.retain(new Set([2]))
  t.same(ids(totals), ['a 1', 'a 2'])
  t.equal(totals.hold('a', 1).totals, held.totals, 'a second connection counts on the same')
  held.letGo()
  t.same(ids(totals), ['a 1', 'a 2'], 'the second is there')
  used(totals, 'a', 4)
  t.same(ids(totals).sort(), ['a 1', 'a 2'])
  totals.retain(undefined)
  used(totals, 'a', 4)
  t.same(ids(totals).sort(), ['a 1', 'a 2', 'a 4'])
})

t.test('a relay that was left keeps its connections only, until it is joined again', async (t) => {
  const totals = new TrafficTotals()
  totals.join('a')
  const held = totals.hold('a', 1)
  totals.leave('a')
  t.same(ids(totals), ['a 1'])
  used(totals, 'a', 2)
  t.same(ids(totals), ['a 1'], 'one that comes late, too')
  held.letGo()
  t.same(ids(totals), [])
  used(totals, 'a', 3)
  t.same(ids(totals), [])
  totals.join('a')
  used(totals, 'a', 3)
  t.same(ids(totals), ['a 3'])
})

t.test('a relay that makes allocations up is bounded, and takes nothing from others or from connections', async (t) => {
  const totals = new TrafficTotals()
  totals.join('a')
  totals.join('liar')
  used(totals, 'a', 1)
  const held = totals.hold('liar', 7)
  for (let id = 100; id < 6_000; id += 1) used(totals, 'liar', id)
  const listed = ids(totals)
  t.ok(listed.length <= 2_050, `${listed.length}`)
  t.ok(listed.includes('a 1'))
  t.ok(listed.includes('liar 7'))
  t.ok(listed.includes('liar 5999'), 'the newest stays')
  t.notOk(listed.includes('liar 100'))
  held.letGo()
})
