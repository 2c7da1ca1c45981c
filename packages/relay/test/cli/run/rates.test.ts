import t from 'tap'
import { Rates } from '../../../dist/cli/run/rates.js'

const at = (relayId: string, bytesIn: number, bytesOut: number, open = 1) => ({
  allocationId: 1,
  relayId,
  bytesIn,
  bytesOut,
  connections: 1,
  open,
})

t.test('bytes a second of all relays of an allocation together, smoothed, down to nothing', async (t) => {
  const rates = new Rates()
  t.match(rates.take([at('a', 5_000, 0), at('b', 0, 7_000)], 0).get(1), { open: 2, inPerSecond: 0, outPerSecond: 0 })
  let now = 0
  let bytes = 0
  let last = { open: 0, inPerSecond: 0, outPerSecond: 0 }
  const second = (grown: number) => {
    now += 1_000
    bytes += grown
    last = rates.take([at('a', 5_000 + bytes, 0), at('b', 0, 7_000 + 2 * bytes)], now).get(1) ?? last
  }
  for (let i = 0; i < 20; i += 1) second(1_000)
  t.ok(Math.abs(last.inPerSecond - 1_000) < 1, String(last.inPerSecond))
  t.ok(Math.abs(last.outPerSecond - 2_000) < 1, String(last.outPerSecond))
  for (let i = 0; i < 20; i += 1) second(0)
  t.equal(last.inPerSecond, 0)
})

t.test('two looks at one moment make no rate; a total that starts anew is no negative one', async (t) => {
  const rates = new Rates()
  rates.take([at('a', 1_000, 0)], 0)
  t.match(rates.take([at('a', 2_000, 0, 3)], 1).get(1), { open: 3, inPerSecond: 0 })
  t.match(rates.take([at('a', 0, 0)], 1_000).get(1), { inPerSecond: 0 })
  t.equal(rates.take([], 2_000).size, 0)
})
