import fc from 'fast-check'
import t from 'tap'
import type { AllocationOptions } from '../../dist/index.js'
import { PlayerRules } from '../../dist/players/player-rules.js'
import { sourceKey } from '../../dist/players/source-key.js'

const BOUNDS = { players: 1_000_000 }

/** Runs `body` with a clock that stands still but for `pass`. */
async function withClock(body: (pass: (ms: number) => void) => void): Promise<void> {
  const { now } = performance
  let at = 1_000
  performance.now = () => at
  try {
    body((ms) => {
      at += ms
    })
  } finally {
    performance.now = now
  }
}

function enterTimes(rules: PlayerRules, times: number, address = '192.0.2.1'): number {
  let entered = 0
  for (let n = 0; n < times; n += 1) if (rules.enter(address, BOUNDS).ok) entered += 1
  return entered
}

t.test('connectionRate: one second at once, then as many as it says', async (t) => {
  await withClock((pass) => {
    const rules = new PlayerRules({ connectionRate: 10 })
    t.equal(enterTimes(rules, 50), 10)
    t.same(rules.enter('192.0.2.1', BOUNDS), { ok: false, reason: 'busy' })
    pass(99)
    t.equal(enterTimes(rules, 5), 0)
    pass(1)
    t.equal(enterTimes(rules, 5), 1)
    pass(350)
    t.equal(enterTimes(rules, 50), 3, 'what is left of a tenth is kept')
    pass(60_000)
    t.equal(enterTimes(rules, 50), 10, 'no more than a second is saved up')
    let entered = 0
    for (let n = 0; n < 10_000; n += 1) {
      pass(1)
      entered += enterTimes(rules, 3)
    }
    t.equal(entered, 100)
  })
})

t.test('connectionRate, changed and lifted', async (t) => {
  await withClock((pass) => {
    const rules = new PlayerRules({})
    t.equal(enterTimes(rules, 1_000), 1_000)
    rules.update({ connectionRate: 1 })
    t.equal(enterTimes(rules, 5), 1, 'at least one')
    rules.update({ connectionRate: 100 })
    t.equal(enterTimes(rules, 5), 0, 'a change gives nothing')
    pass(100)
    t.equal(enterTimes(rules, 50), 10)
    pass(10_000)
    rules.update({ connectionRate: 5 })
    t.equal(enterTimes(rules, 50), 5, 'what was saved is cut to a second')
    rules.update({})
    t.equal(enterTimes(rules, 1_000), 1_000)
  })
})

t.test('who is refused takes none of the rate from others', async (t) => {
  await withClock(() => {
    const rules = new PlayerRules({ connectionRate: 2, maxConnectionsPerSource: 1, deny: ['198.51.100.0/24'] })
    for (let n = 0; n < 5; n += 1)
      t.same(rules.enter('198.51.100.7', BOUNDS), { ok: false, reason: 'denied' }, 'denied is what is said first')
    t.equal(enterTimes(rules, 5), 1)
    t.equal(enterTimes(rules, 5, '192.0.2.2'), 1)
    t.equal(enterTimes(rules, 5, '192.0.2.3'), 0, 'here it is the rate')
  })
})

t.test('maxConnectionsPerSource: an IPv4 address, or a /64', async (t) => {
  const rules = new PlayerRules({ maxConnectionsPerSource: 2 })
  t.equal(enterTimes(rules, 5, '192.0.2.1'), 2)
  t.equal(enterTimes(rules, 5, '192.0.2.2'), 2)
  t.equal(enterTimes(rules, 1, '2001:db8::1'), 1)
  t.equal(enterTimes(rules, 5, '2001:db8:0:0:ffff::2'), 1)
  t.equal(enterTimes(rules, 5, '2001:db8:0:1::1'), 2)
})

t.test("the relay's own bounds hold too, the stricter of both", async (t) => {
  const rules = new PlayerRules({ maxConnections: 3, maxConnectionsPerSource: 2 })
  const one = rules.enter('192.0.2.1', { players: 10, perSource: 1 })
  t.ok(one.ok)
  t.notOk(rules.enter('192.0.2.1', { players: 10, perSource: 1 }).ok)
  t.ok(rules.enter('192.0.2.1', { players: 10, perSource: 5 }).ok)
  t.notOk(rules.enter('192.0.2.1', { players: 10, perSource: 5 }).ok)
  t.notOk(rules.enter('192.0.2.2', { players: 2 }).ok)
  t.ok(rules.enter('192.0.2.2', { players: 10 }).ok)
  t.notOk(rules.enter('192.0.2.3', { players: 10 }).ok)
  if (one.ok) for (let n = 0; n < 3; n += 1) one.leave()
  t.ok(rules.enter('192.0.2.3', { players: 10 }).ok)
  t.notOk(rules.enter('192.0.2.4', { players: 10 }).ok, 'leaving twice gives one place')
})

t.test('a bound that is put on counts who is there, and sends nobody away', async (t) => {
  const rules = new PlayerRules(undefined)
  const first = [rules.enter('192.0.2.1', BOUNDS), rules.enter('192.0.2.1', BOUNDS), rules.enter('192.0.2.1', BOUNDS)]
  rules.update({ maxConnectionsPerSource: 2 })
  t.notOk(rules.enter('192.0.2.1', BOUNDS).ok)
  const [a, b] = first
  if (a?.ok) a.leave()
  t.notOk(rules.enter('192.0.2.1', BOUNDS).ok)
  if (b?.ok) b.leave()
  t.ok(rules.enter('192.0.2.1', BOUNDS).ok)
})

t.test('the same as a plain count, whoever comes and goes', async () => {
  const address = fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:1::1')
  const step = fc.oneof(
    fc.record({ enter: address }),
    fc.record({ leave: fc.nat(50) }),
    fc.record({
      update: fc.record({ maxConnections: fc.integer({ min: 1, max: 8 }), perSource: fc.integer({ min: 1, max: 4 }) }),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      let options: AllocationOptions = {}
      const rules = new PlayerRules(options)
      const here: { source: string; leave: () => void }[] = []
      return steps.every((one) => {
        if ('update' in one) {
          options = { maxConnections: one.update.maxConnections, maxConnectionsPerSource: one.update.perSource }
          rules.update(options)
          return true
        }
        if ('leave' in one) {
          for (const gone of here.splice(one.leave % (here.length + 1), 1)) gone.leave()
          return true
        }
        const source = sourceKey(one.enter)
        const wanted =
          here.length < (options.maxConnections ?? Infinity) &&
          here.filter((other) => other.source === source).length < (options.maxConnectionsPerSource ?? Infinity)
        const entry = rules.enter(one.enter, BOUNDS)
        if (entry.ok) here.push({ source, leave: entry.leave })
        return entry.ok === wanted
      })
    }),
    { numRuns: 300 },
  )
})
