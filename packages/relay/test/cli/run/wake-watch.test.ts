import t from 'tap'
import { watchForWake } from '../../../dist/cli/run/wake-watch.js'
import { until } from '../../support.js'

t.test('a clock that jumps either way, and other addresses, wake; an even clock does not', async (t) => {
  let clock = 1_000_000
  let addresses: readonly string[] = ['192.0.2.1 255.255.255.0']
  let looks = 0
  const reasons: string[] = []
  let step = 5
  const unwatch = watchForWake({
    everyMs: 5,
    wallClock() {
      looks += 1
      clock += step
      return clock
    },
    addresses: () => addresses,
    onWake: (reason) => reasons.push(reason),
  })
  t.teardown(unwatch)
  const after = (count: number) => {
    const from = looks
    return until(() => looks >= from + count, 'some looks')
  }
  await after(10)
  t.strictSame(reasons, [])
  clock += 3_600_000
  await after(4)
  t.strictSame(reasons, ['clock'])
  clock -= 3_600_000
  await after(4)
  t.strictSame(reasons, ['clock', 'clock'])
  addresses = ['198.51.100.7 255.255.255.0']
  await after(10)
  t.strictSame(reasons, ['clock', 'clock', 'network'])
  // A clock that is slewed, or timers that come late on a busy machine.
  step = 2_000
  await after(10)
  t.equal(reasons.length, 3)
})

t.test('a system that does not show its addresses: the clock alone counts', async (t) => {
  let clock = 0
  const reasons: string[] = []
  const unwatch = watchForWake({
    everyMs: 5,
    wallClock() {
      clock += 5
      return clock
    },
    addresses() {
      throw new Error('uv_interface_addresses returned Unknown system error 13')
    },
    onWake: (reason) => reasons.push(reason),
  })
  t.teardown(unwatch)
  clock += 60_000
  await until(() => reasons.length > 0, 'the jump')
  t.strictSame(reasons, ['clock'])
})

t.test('sleep that ends on another network wakes once', async (t) => {
  let clock = 0
  let addresses: readonly string[] = []
  let looks = 0
  const reasons: string[] = []
  const unwatch = watchForWake({
    everyMs: 5,
    wallClock() {
      looks += 1
      clock += 5
      return clock
    },
    addresses: () => addresses,
    onWake: (reason) => reasons.push(reason),
  })
  t.teardown(unwatch)
  await until(() => looks > 3, 'some looks')
  addresses = ['203.0.113.9 255.255.255.0']
  clock += 60_000
  await until(() => looks > 15, 'more looks')
  t.equal(reasons.filter((reason) => reason === 'clock').length, 1)
  t.ok(reasons.length <= 2)
})
