import t from 'tap'
import { retryAfterDelay, retryDelay } from '../dist/backoff.js'

t.test('a few quick tries, then doubling up to the bound, always jittered', async (t) => {
  const timings = { quickTries: 3, quickMinMs: 100, quickMaxMs: 500, slowStartMs: 1_000, maxMs: 30_000 }
  const least = (attempt: number) => retryDelay(attempt, timings, () => 0)
  const most = (attempt: number) => retryDelay(attempt, timings, () => 1)
  t.same([0, 1, 2].map(least), [100, 100, 100])
  t.same([0, 1, 2].map(most), [500, 500, 500])
  t.same([3, 4, 5, 6, 7, 8, 9].map(most), [1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000])
  t.same([3, 4, 1_000].map(least), [800, 1_600, 20_000], 'the longest waits are spread too')
})

t.test('no wait is longer than the bound, the quick ones neither', async (t) => {
  const timings = { quickTries: 3, quickMinMs: 100, quickMaxMs: 500, slowStartMs: 1_000, maxMs: 50 }
  t.same(
    [0, 3, 9].map((attempt) => retryDelay(attempt, timings, () => 1)),
    [50, 50, 50],
  )
})

t.test('a wait that was asked for is kept, within bounds, and spread', async (t) => {
  t.equal(
    retryAfterDelay(10_000, () => 0),
    10_000,
  )
  t.equal(
    retryAfterDelay(10_000, () => 1),
    15_000,
  )
  t.equal(
    retryAfterDelay(0, () => 0),
    500,
  )
  t.equal(
    retryAfterDelay(0, () => 1),
    1_500,
  )
  t.equal(
    retryAfterDelay(3_600_000, () => 1),
    90_000,
  )
})
