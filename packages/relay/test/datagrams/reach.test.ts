import t from 'tap'
import { UdpReach } from '../../dist/datagrams/agent-udp-reach.js'
import { CHANNEL_TIMINGS } from '../../dist/datagrams/channel-timings.js'

/** Time passes in steps of the waits asked for; PINGs are answered after `rttMs` while `gets` says so. */
function simulate(reach: UdpReach, from: number, until: number, gets: (now: number) => boolean, rttMs = 50) {
  const log = { pings: 0, renewals: 0, upAt: undefined as number | undefined, lostAt: undefined as number | undefined }
  let answers: { at: number; id: number }[] = []
  let now = from
  while (now < until) {
    for (const { id } of answers.filter(({ at }) => at <= now)) {
      if (reach.pong(id)) log.upAt ??= now
    }
    answers = answers.filter(({ at }) => at > now)
    const wasUp = reach.up
    const { action, waitMs } = reach.act(now)
    if (action === 'ping') {
      log.pings += 1
      const id = reach.nextId(now)
      if (gets(now)) answers.push({ at: now + rttMs, id })
    }
    if (action === 'renew') log.renewals += 1
    if (wasUp && !reach.up) log.lostAt ??= now
    now += Math.max(1, Math.min(waitMs, 50))
  }
  return log
}

t.test('UDP that answers is up after one round trip and stays up at rest with few PINGs', async (t) => {
  const reach = new UdpReach(CHANNEL_TIMINGS)
  reach.begin(0, 1)
  t.equal(reach.needsStream(400), false)
  t.ok((simulate(reach, 0, 1_000, () => true).upAt ?? 1_000) <= 100)
  const { pings, lostAt } = simulate(reach, 1_000, 101_000, () => true)
  t.equal(lostAt, undefined)
  t.ok(pings >= 9 && pings <= 12, `${pings} PINGs in 100 s`)
})

t.test('UDP that never answers wants a stream after half a second and is tried less and less', async (t) => {
  const reach = new UdpReach({ ...CHANNEL_TIMINGS, streamIdleMs: 1_000_000 })
  reach.begin(0, 1)
  reach.want(0)
  simulate(reach, 0, 499, () => false)
  t.equal(reach.needsStream(499), false)
  t.equal(reach.needsStream(500), true)
  const early = simulate(reach, 500, 30_000, () => false)
  const late = simulate(reach, 200_000, 260_000, () => false)
  t.ok(early.renewals >= 3, `${early.renewals} tries in the first half minute`)
  t.ok(late.renewals >= 1 && late.renewals <= 3, `${late.renewals} in a later minute`)
  const back = simulate(reach, 260_000, 300_000, () => true)
  t.ok(back.upAt !== undefined, 'and it is taken when it answers')
})

t.test('an agent that needs no UDP wants no stream, and tries seldom', async (t) => {
  const reach = new UdpReach(CHANNEL_TIMINGS)
  reach.begin(0, 1)
  simulate(reach, 0, 3_600_000, () => false)
  t.equal(reach.needsStream(3_600_000), false)
  const { pings, renewals } = simulate(reach, 3_600_000, 7_200_000, () => false)
  t.ok(renewals >= 10 && renewals <= 13, `${renewals} tries in an hour`)
  t.ok(pings <= 100, `${pings} PINGs in an hour`)
  reach.want(7_200_000)
  reach.doubt()
  t.equal(reach.needsStream(7_200_000), true, 'at once when it is needed')
  t.ok(simulate(reach, 7_200_000, 7_201_000, () => true).upAt !== undefined, 'and UDP is asked at once')
})

t.test('what has failed before is not waited for again when the relay asks', async (t) => {
  const reach = new UdpReach(CHANNEL_TIMINGS)
  reach.begin(0, 1)
  simulate(reach, 0, 8_000, () => false)
  reach.want(8_000)
  reach.hurry()
  t.equal(reach.act(8_000).action, 'renew')
  t.equal(reach.needsStream(8_000), true)
})

t.test('UDP that stops is found out within seconds while there is traffic', async (t) => {
  const reach = new UdpReach(CHANNEL_TIMINGS)
  reach.begin(0, 1)
  simulate(reach, 0, 1_000, () => true)
  reach.traffic(4_000)
  simulate(reach, 1_000, 5_000, () => true)
  reach.traffic(5_000)
  const { lostAt } = simulate(reach, 5_000, 20_000, () => false)
  t.ok(lostAt !== undefined && lostAt <= 9_100, `lost at ${lostAt}`)
  t.equal(reach.needsStream(lostAt ?? 0), true, 'a stream is wanted at once')
})

t.test('half of the PINGs lost: UDP stays', async (t) => {
  const reach = new UdpReach(CHANNEL_TIMINGS)
  reach.begin(0, 1)
  let count = 0
  const { lostAt } = simulate(reach, 0, 100_000, (now) => {
    reach.traffic(now)
    count += 1
    return count % 2 === 0
  })
  t.equal(lostAt, undefined)
})

t.test('answers to PINGs of another try, or to none, count for nothing', async (t) => {
  const reach = new UdpReach(CHANNEL_TIMINGS)
  t.equal(reach.pong(0), false)
  reach.begin(0, 2)
  const first = reach.nextId(0)
  const second = reach.nextId(1)
  t.equal(reach.pong(second + 1), false)
  t.equal(reach.pong(first), false, 'two round trips are wanted')
  t.equal(reach.pong(second), false, 'of which this is still the first')
  const third = reach.nextId(2)
  reach.begin(3, 1)
  t.equal(reach.pong(third), false)
  t.equal(reach.pong(reach.nextId(4)), true)
})
