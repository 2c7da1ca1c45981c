import fc from 'fast-check'
import t from 'tap'
import { HeldDatagrams } from '../../dist/flows/held-datagrams.js'
import { DATAGRAM_OVERHEAD_BYTES } from '../../dist/flows/paced-datagrams.js'

t.test('the newest are kept, in order, and never more than allowed', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(2_000), { maxLength: 60 }), fc.integer({ min: 300, max: 6_000 }), (sizes, maxBytes) => {
      const budget = { usedBytes: 0, maxBytes: 100_000 }
      const held = new HeldDatagrams(budget, maxBytes)
      for (const [n, size] of sizes.entries()) {
        held.push(Buffer.alloc(size, n))
        if (budget.usedBytes > maxBytes) return false
      }
      const kept = held.take()
      const numbered = kept.map((payload) => sizes.lastIndexOf(payload.length))
      const cost = kept.reduce((sum, { length }) => sum + length + DATAGRAM_OVERHEAD_BYTES, 0)
      const fitting = sizes.filter((size) => size + DATAGRAM_OVERHEAD_BYTES <= maxBytes)
      const newest = fitting.slice(fitting.length - kept.length)
      return (
        numbered.every((at) => at >= 0) &&
        cost <= maxBytes &&
        budget.usedBytes === 0 &&
        kept.every((payload, at) => payload.length === newest[at])
      )
    }),
    { numRuns: 300 },
  )
  t.pass('held')
})

t.test('a budget that others have used up leaves no room', async (t) => {
  const budget = { usedBytes: 0, maxBytes: 1_000 }
  const first = new HeldDatagrams(budget, 10_000)
  const second = new HeldDatagrams(budget, 10_000)
  for (let n = 0; n < 10; n += 1) first.push(Buffer.alloc(100, n))
  second.push(Buffer.alloc(100, 50))
  t.same(second.take(), [])
  t.same(
    first.take().map((payload) => payload[0]),
    [8, 9],
  )
  second.push(Buffer.alloc(100, 50))
  t.equal(second.take().length, 1)
})

t.test('what is held is a copy', async (t) => {
  const held = new HeldDatagrams({ usedBytes: 0, maxBytes: 1_000 }, 1_000)
  const payload = Buffer.from('one')
  held.push(payload)
  payload.fill(0)
  t.equal(String(held.take()[0]), 'one')
})
