import fc from 'fast-check'
import t from 'tap'
import { Throttle } from '../../dist/players/throttle.js'
import type { Clock } from '../../dist/players/throttle-clock.js'

const CHUNK_BYTES = 65_536
const DATAGRAM_BYTES = 1_200

interface Stall {
  at: number
  ms: number
}

/** A process whose time is a number: timers fire up to a millisecond late, and nothing at all happens in a stall. */
class Simulated implements Clock {
  #now = 0
  readonly #stalls: Stall[]
  readonly #events: Map<number, { at: number; call: () => void }> = new Map()
  #lastId = 0
  #seed = 1

  constructor(stalls: Stall[] = []) {
    this.#stalls = stalls
  }

  now(): number {
    return this.#now
  }

  after(delayMs: number, call: () => void): () => void {
    this.#lastId += 1
    const id = this.#lastId
    this.#events.set(id, { at: this.#now + delayMs + this.#random(), call })
    return () => this.#events.delete(id)
  }

  soon(call: () => void): void {
    this.#lastId += 1
    this.#events.set(this.#lastId, { at: this.#now + 0.02 * this.#random(), call })
  }

  run(untilMs: number): void {
    while (this.#now < untilMs) {
      let first: [number, { at: number; call: () => void }] | undefined
      for (const entry of this.#events) if (first === undefined || entry[1].at < first[1].at) first = entry
      if (first === undefined || first[1].at > untilMs) {
        this.#now = untilMs
        return
      }
      this.#events.delete(first[0])
      this.#now = Math.max(this.#now, first[1].at)
      for (const { at, ms } of this.#stalls) if (this.#now > at && this.#now < at + ms) this.#now = at + ms
      first[1].call()
    }
  }

  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647
    return this.#seed / 2_147_483_647
  }
}

/** Bytes that passed in each second, by `players` who always have more to send. */
function secondsOf(
  rate: number,
  players: number,
  seconds: number,
  stalls: Stall[] = [],
  reactMs?: number,
  changes: { at: number; rate: number }[] = [],
): number[] {
  const clock = new Simulated(stalls)
  const throttle = new Throttle(clock)
  throttle.setRate(rate)
  for (const change of changes) clock.after(change.at, () => throttle.setRate(change.rate))
  const passed: number[] = Array.from({ length: seconds }, () => 0)
  const count = (bytes: number) => {
    const second = Math.floor(clock.now() / 1_000)
    passed[second] = (passed[second] ?? 0) + bytes
  }
  for (let n = 0; n < players; n += 1) {
    const send = () => {
      const bytes = throttle.take(CHUNK_BYTES, turn)
      count(bytes)
      if (bytes === CHUNK_BYTES) clock.soon(send)
    }
    const turn = () => (reactMs === undefined ? clock.soon(send) : clock.after(reactMs, send))
    clock.soon(send)
  }
  clock.run(seconds * 1_000)
  return passed.slice(0, seconds)
}

const RATES = [64_000, 1_000_000, 20_000_000]

t.test('within 3 % in every second after the first, at any rate and number of players', async (t) => {
  for (const rate of RATES)
    for (const players of [1, 50]) {
      const [first = 0, ...seconds] = secondsOf(rate, players, 6)
      const off = seconds.map((bytes) => Math.abs(bytes / rate - 1))
      t.ok(Math.max(...off) < 0.03, `${rate} B/s, ${players} players: ${seconds}`)
      t.ok(first < 1.05 * rate + CHUNK_BYTES, `the first has the burst: ${first}`)
    }
})

t.test('changed in flight, the new rate holds within 3 % from then on', async (t) => {
  for (const rate of [1_000_000, 20_000_000])
    for (const players of [1, 50]) {
      const changes = [
        { at: 2_000, rate: rate / 4 },
        { at: 4_000, rate: 3 * rate },
      ]
      const seconds = secondsOf(rate, players, 6, [], undefined, changes)
      const wanted = [rate, rate / 4, rate / 4, 3 * rate, 3 * rate]
      const off = wanted.map((bytes, at) => Math.abs((seconds[at + 1] ?? 0) / bytes - 1))
      t.ok(Math.max(...off) < 0.03, `${rate} B/s, ${players} players: ${seconds}`)
    }
})

t.test('a process that is late makes up for it, not for more', async (t) => {
  for (const rate of RATES)
    for (const players of [1, 50]) {
      // Within their seconds: at 2.1 s for 300 ms, and in the fourth again and again.
      const stalls = [{ at: 2_100, ms: 300 }]
      for (let n = 0; n < 8; n += 1) stalls.push({ at: 4_050 + n * 100, ms: 60 })
      const [, ...seconds] = secondsOf(rate, players, 7, stalls)
      const off = seconds.map((bytes) => Math.abs(bytes / rate - 1))
      t.ok(Math.max(...off) < 0.03, `${rate} B/s, ${players} players: ${seconds}`)
    }
})

t.test('who comes late to each turn gets what was meant for it', async (t) => {
  for (const rate of RATES) {
    const [, ...seconds] = secondsOf(rate, 1, 6, [], 199)
    const total = seconds.reduce((sum, bytes) => sum + bytes, 0)
    t.ok(Math.abs(total / (5 * rate) - 1) < 0.04, `${rate} B/s: ${seconds}`)
  }
})

t.test('a standstill of seconds makes no more than a second', async (t) => {
  const rate = 1_000_000
  const seconds = secondsOf(rate, 5, 10, [{ at: 1_500, ms: 4_500 }])
  const total = seconds.reduce((sum, bytes) => sum + bytes, 0)
  t.ok(Math.abs(total - (10 - 3.5) * rate) < 0.1 * rate, String(seconds))
})

t.test('datagrams: the rate is filled when more come than may pass, also after standstills', async (t) => {
  for (const rate of RATES) {
    const clock = new Simulated([{ at: 2_200, ms: 150 }])
    const throttle = new Throttle(clock)
    throttle.setRate(rate)
    const passed = [0, 0, 0, 0, 0]
    const count = () => {
      const second = Math.floor(clock.now() / 1_000)
      passed[second] = (passed[second] ?? 0) + DATAGRAM_BYTES
    }
    // One place in the queue; what comes meanwhile is lost, as in a queue that is full.
    let waiting = false
    const turn = () => {
      waiting = false
      if (throttle.take(DATAGRAM_BYTES, turn, true) > 0) count()
      else waiting = true
    }
    let due = 0
    const arrive = () => {
      for (; due < clock.now(); due += (DATAGRAM_BYTES / rate / 2) * 1_000) {
        if (waiting) throttle.catchUp()
        if (waiting) continue
        if (throttle.take(DATAGRAM_BYTES, turn, true) > 0) count()
        else waiting = true
      }
      clock.soon(arrive)
    }
    arrive()
    clock.run(5_000)
    const off = passed.slice(1).map((bytes) => Math.abs(bytes / rate - 1))
    t.ok(Math.max(...off) < 0.03, `${rate} B/s: ${passed}`)
  }
})

t.test('an idle throttle saves 50 ms of its rate, whatever it did before', async (t) => {
  const clock = new Simulated([{ at: 50.5, ms: 850 }])
  const throttle = new Throttle(clock)
  throttle.setRate(1_000_000)
  const never = () => t.fail('nobody waits')
  clock.run(50)
  const turn = () => {}
  t.ok(throttle.take(1_000_000, turn) <= 50_000)
  clock.run(1_000)
  // Nearly one second was missed, and then the one who waited left.
  throttle.leave(turn)
  clock.run(3_000)
  t.equal(throttle.take(1_000_000, never), 50_000)
  throttle.leave(never)
})

t.test('in any time no more than the rate, the burst and one turn', async () => {
  const step = fc.record({ pauseMs: fc.integer({ min: 0, max: 300 }), bytes: fc.integer({ min: 1, max: 200_000 }) })
  fc.assert(
    fc.property(fc.constantFrom(...RATES), fc.array(step, { minLength: 1, maxLength: 40 }), (rate, steps) => {
      const clock = new Simulated()
      const throttle = new Throttle(clock)
      throttle.setRate(rate)
      const passed: { at: number; bytes: number }[] = []
      for (const { pauseMs, bytes } of steps) {
        clock.run(clock.now() + pauseMs)
        const turn = () => {}
        passed.push({ at: clock.now(), bytes: throttle.take(bytes, turn) })
        throttle.leave(turn)
      }
      const slack = 0.05 * rate + Math.max(1_460, rate * 0.01)
      return passed.every(({ at }, from) => {
        let sum = 0
        return passed.slice(from).every((one) => {
          sum += one.bytes
          return sum <= ((one.at - at) / 1_000) * rate + slack + 1
        })
      })
    }),
    { numRuns: 200 },
  )
})

t.test('ten thousand who wait are served in order, at a cost that does not grow with them', async (t) => {
  const clock = new Simulated()
  const throttle = new Throttle(clock)
  throttle.setRate(10_000_000)
  const order: number[] = []
  for (let n = 0; n < 10_000; n += 1) {
    const turn = () => {
      order.push(n)
      throttle.take(2 * CHUNK_BYTES, turn)
    }
    throttle.take(2 * CHUNK_BYTES, turn)
  }
  clock.run(120_000)
  t.ok(order.length > 10_000, `${order.length} turns`)
  t.ok(order.every((n, index) => index === 0 || n === ((order[index - 1] ?? 0) + 1) % 10_000))
})
