import t from 'tap'
import { PoolSize } from '../../dist/pool/pool-size.js'

const PLAYERS = 1_000

t.test('doubles when it ran empty, once for what it then ordered, and not above its most', async (t) => {
  const size = new PoolSize({ min: 1, max: 6 })
  size.ranEmpty(PLAYERS)
  size.ranEmpty(PLAYERS)
  t.equal(size.target, 2, 'what was ordered has not come yet')
  for (const target of [4, 6, 6]) {
    size.arrived()
    size.ranEmpty(PLAYERS)
    t.equal(size.target, target)
  }
})

t.test('does not grow above a share of those who are there, whose connections come back', async (t) => {
  const size = new PoolSize({ min: 1, max: 256 })
  const pressed = (players: number) => {
    for (let n = 0; n < 20; n += 1) {
      size.ranEmpty(players)
      size.arrived()
    }
    return size.target
  }
  t.equal(pressed(1), 16, 'so many for few, who may be the first of many')
  t.equal(pressed(300), 75)
  t.equal(pressed(10), 75, 'shrinking is a matter of time')
  t.equal(pressed(10_000), 256)
})

t.test('halves while over half is not needed, down to its least, and gives up half of what was unused', async (t) => {
  const size = new PoolSize({ min: 1, max: 64 })
  for (let n = 0; n < 4; n += 1) {
    size.ranEmpty(PLAYERS)
    size.arrived()
  }
  t.equal(size.target, 16)
  t.equal(size.sweep(40), 0, 'nothing is known of the time before')
  size.saw(30)
  t.equal(size.sweep(40), 15, 'half of the 30 that lay unused')
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
})
