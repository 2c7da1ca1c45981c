import t from 'tap'
import { createRefusalGrid } from '../../dist/sign-in/refusal-grid.js'

// The grid's timers keep no process alive.
const alive = setInterval(() => undefined, 1_000)
t.teardown(() => clearInterval(alive))

t.test('refusals leave at multiples of 100 ms since they came, whatever happened before', async (t) => {
  const grid = createRefusalGrid()
  const delays = [0, 1, 30, 99, 101, 160]
  await Promise.all(
    delays.map(async (spent) => {
      const step = Math.ceil((spent + 0.001) / 100) * 100
      let least = Number.POSITIVE_INFINITY
      // A busy machine has some leave late, and never one early.
      for (let round = 0; round < 8; round++) {
        const since = performance.now() - spent
        await grid.wait(since)
        const took = performance.now() - since
        t.ok(took >= step, `${spent} ms spent: ${took}`)
        least = Math.min(least, took)
      }
      t.ok(least < step + 90, `${spent} ms spent: ${least}`)
    }),
  )
})

t.test('no more than so many wait', async (t) => {
  const grid = createRefusalGrid()
  const since = performance.now()
  const waits = Array.from({ length: 5_001 }, () =>
    grid.wait(since).then(
      () => 'left',
      (error: unknown) => error,
    ),
  )
  const ends = await Promise.all(waits)
  t.match(ends.at(-1), { code: 'CORE_ERR_UNAVAILABLE', retryAfter: 1 })
  t.ok(ends.slice(0, -1).every((end) => end === 'left'))
  await grid.wait(performance.now())
})
