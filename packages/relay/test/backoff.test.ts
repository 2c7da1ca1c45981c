import t from 'tap'
import { retryDelayMs } from '../dist/backoff.js'

t.test('a few quick tries, then doubling up to the bound, always jittered', async (t) => {
  const least = (failures: number) => retryDelayMs(failures, 100, 30_000, () => 0)
  const most = (failures: number) => retryDelayMs(failures, 100, 30_000, () => 1)
  t.same([0, 1, 2].map(least), [100, 100, 100])
  t.same([0, 1, 2].map(most), [500, 500, 500])
  t.same([3, 4, 5, 6, 7, 8, 9].map(most), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  t.same([3, 9, 1_000].map(least), [500, 15_000, 15_000])
})
