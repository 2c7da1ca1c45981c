import t from 'tap'
import { PoolSize } from '../../dist/pool/pool-size.js'

t.test('doubles when it ran empty, once for what it then ordered, and not above its most', async (t) => {
  const size = new PoolSize({ min: 1, max: 6 })
  size.ranEmpty()
  size.ranEmpty()
  t.equal(size.target, 2, 'what was ordered has not come yet')
  for (const target of [4, 6, 6]) {
    size.arrived()
    size.ranEmpty()
    t.equal(size.target, target)
  }
})

t.test(
  'halves while over half is not needed, down to its least, and gives up what was unused for a whole interval',
  async (t) => {
    const size = new PoolSize({ min: 1, max: 64 })
    for (let n = 0; n < 4; n += 1) {
      size.ranEmpty()
      size.arrived()
    }
    t.equal(size.target, 16)
    t.equal(size.sweep(40), 0, 'nothing is known of the time before')
    size.saw(30)
    t.equal(size.sweep(40), 30, '30 of 40 lay unused, and 8 are to stay')
    t.equal(size.target, 8)
    size.saw(4)
    t.equal(size.sweep(10), 2)
    t.equal(size.target, 8, 'half of it was needed')
    size.saw(0)
    t.equal(size.sweep(8), 0)
    for (const [ready, closed, target] of [
      [8, 4, 4],
      [4, 2, 2],
      [2, 1, 1],
      [1, 0, 1],
    ] as const) {
      t.equal(size.sweep(ready), closed)
      t.equal(size.target, target)
    }
    t.ok(size.atRest)
  },
)
