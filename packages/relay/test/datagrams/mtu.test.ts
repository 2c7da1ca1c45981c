import t from 'tap'
import { BASE_PACKET_BYTES, PATH_SIZES, PathMtu, type Probe } from '../../dist/datagrams/channel-mtu.js'

/** Answers the probes that a path of this size lets through. */
function answer(mtu: PathMtu, probes: Probe[], pathBytes: number, now: number): void {
  for (const { id, bytes } of probes) if (bytes <= pathBytes) mtu.answered(id, now)
}

t.test('one round trip finds the size of the path', async (t) => {
  for (const [pathBytes, expected] of [
    [1_472, 1_472],
    [9_000, 1_472],
    [1_400, 1_392],
    [1_279, BASE_PACKET_BYTES],
  ] as const) {
    const mtu = new PathMtu()
    const probes = mtu.restart(PATH_SIZES, 1_000)
    t.equal(mtu.bytes, BASE_PACKET_BYTES, 'nothing is believed before it is answered')
    answer(mtu, probes.reverse(), pathBytes, 1_050)
    t.equal(mtu.bytes, expected)
  }
})

t.test('a size behind one that was not answered does not count: it may have been fragmented', async (t) => {
  const mtu = new PathMtu()
  for (const probe of mtu.restart(PATH_SIZES, 0)) if (probe.bytes !== 1_420) mtu.answered(probe.id, 10)
  t.equal(mtu.bytes, 1_392)
  t.same(mtu.due(60_000, false), [], 'and it is not tried again soon')
  answer(mtu, mtu.due(600_000, false), 1_472, 600_010)
  t.equal(mtu.bytes, 1_472, 'but later')
})

t.test('when only large packets vanish the base size is used at once, and then what still gets through', async (t) => {
  const mtu = new PathMtu()
  answer(mtu, mtu.restart(PATH_SIZES, 0), 1_472, 10)
  for (let now = 500; now < 60_000; now += 500) answer(mtu, mtu.due(now, true), 1_472, now + 20)
  t.equal(mtu.bytes, 1_472, 'while it is confirmed it stays')
  let now = 60_000
  while (mtu.bytes > BASE_PACKET_BYTES) {
    answer(mtu, mtu.due(now, true), 1_400, now + 20)
    now += 500
  }
  t.ok(now <= 61_000, `after ${now - 60_000} ms`)
  for (; now < 64_000; now += 500) answer(mtu, mtu.due(now, false), 1_400, now + 20)
  t.equal(mtu.bytes, 1_392)
})

t.test('after an outage the size is found again soon, and nothing larger is tried before long', async (t) => {
  const mtu = new PathMtu()
  answer(mtu, mtu.restart(PATH_SIZES, 0), 1_420, 10)
  let now = 1_000
  for (; now < 5_000; now += 500) mtu.due(now, true)
  t.equal(mtu.bytes, BASE_PACKET_BYTES)
  for (; now < 20_000; now += 500) answer(mtu, mtu.due(now, false), 1_472, now + 20)
  t.equal(mtu.bytes, 1_420)
  for (; now < 1_300_000; now += 500) answer(mtu, mtu.due(now, false), 1_472, now + 20)
  t.equal(mtu.bytes, 1_472)
})

t.test('a round trip of a second is no loss', async (t) => {
  const mtu = new PathMtu()
  answer(mtu, mtu.restart(PATH_SIZES, 0), 1_472, 1_000)
  let under: { probes: Probe[]; at: number }[] = []
  for (let now = 1_500; now < 60_000; now += 500) {
    for (const { probes, at } of under.filter(({ at }) => at <= now)) answer(mtu, probes, 1_472, at)
    under = under.filter(({ at }) => at > now)
    under.push({ probes: mtu.due(now, true), at: now + 1_000 })
    if (mtu.bytes !== 1_472) t.fail(`${mtu.bytes} at ${now}`)
  }
})

t.test('a lost confirmation or two mean nothing, and a path at rest is not probed', async (t) => {
  const mtu = new PathMtu()
  answer(mtu, mtu.restart(PATH_SIZES, 0), 1_472, 10)
  let asked = 0
  let small = 0
  for (let now = 6_000; now < 300_000; now += 500) {
    const probes = mtu.due(now, true)
    asked += probes.length
    if (asked % 3 === 0) answer(mtu, probes, 1_472, now + 20)
    if (mtu.bytes === BASE_PACKET_BYTES) small += 1
  }
  t.equal(mtu.bytes, 1_472)
  t.ok(small < 500, 'smaller packets only while it is asked again')
  mtu.answered(0xffff_ffff, 300_000)
  const idle = new PathMtu()
  answer(idle, idle.restart(PATH_SIZES, 0), 1_472, 10)
  for (let now = 6_000; now < 300_000; now += 1_000) t.same(idle.due(now, false), [])
})

t.test('answers to what was never asked change nothing', async (t) => {
  const mtu = new PathMtu()
  mtu.restart(PATH_SIZES, 0)
  for (const id of [0, 61_440, 0xffff_ffff, (1 << 16) | 61_440, (2 << 16) | 1_280]) mtu.answered(id, 5)
  t.equal(mtu.bytes, BASE_PACKET_BYTES)
})
