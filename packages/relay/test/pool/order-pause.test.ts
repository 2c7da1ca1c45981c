import t from 'tap'
import { OrderPause } from '../../dist/pool/order-pause.js'

t.test('each pause is twice as long as the one before, up to half a minute, until it is ended', async (t) => {
  const armed: { delayMs: number; call: () => void; cancelled: boolean }[] = []
  const clock = {
    now: () => 0,
    after: (delayMs: number, call: () => void) => {
      const timer = { delayMs, call, cancelled: false }
      armed.push(timer)
      return () => {
        timer.cancelled = true
      }
    },
  }
  let over = 0
  const pause = new OrderPause(() => {
    over += 1
  }, clock)
  t.notOk(pause.active)
  for (let n = 1; n <= 9; n += 1) {
    pause.begin()
    pause.begin()
    t.ok(pause.active)
    t.equal(armed.length, n, 'one that runs goes on')
    armed.at(-1)?.call()
    t.equal(over, n)
    t.notOk(pause.active)
  }
  const lengths = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
  t.same(
    armed.map(({ delayMs }) => delayMs),
    lengths,
  )
  pause.begin()
  pause.end()
  t.ok(armed.at(-1)?.cancelled)
  t.notOk(pause.active)
  pause.begin()
  t.equal(armed.at(-1)?.delayMs, 250)
})
