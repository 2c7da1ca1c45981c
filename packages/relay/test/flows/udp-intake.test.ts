import t from 'tap'
import type { UdpFlow } from '../../dist/flows/udp-flow.js'
import { UdpIntake } from '../../dist/flows/udp-intake.js'
import { Permits } from '../../dist/permits.js'
import { PlayerRules } from '../../dist/players/player-rules.js'
import { until } from '../support.js'

const MOST = 512
const PER_SOURCE = 64

/** An intake, and sources that send twice, so that none of them depends on first sights. */
function startIntake(permits = 100_000) {
  const bounds = { players: 4_096, perSource: PER_SOURCE }
  const intake = new UdpIntake({ rules: new PlayerRules({}), permits: new Permits(permits), bounds })
  const present = new Set<UdpFlow>()
  const come = (address: string, port: number): boolean => {
    const enter = () => intake.enter(address, port, present.size, Number.POSITIVE_INFINITY)
    const entry = enter() ?? enter()
    if (entry === undefined) return false
    const flow = {
      address,
      port,
      close: () => {
        present.delete(flow)
        intake.remove(flow)
        entry.leave()
      },
    } as unknown as UdpFlow
    present.add(flow)
    intake.add(flow, entry.sight)
    return true
  }
  return { come, present }
}

t.test('a source that may not have more flows drives nobody out', async (t) => {
  const { come, present } = startIntake()
  // Nothing is asserted in between: in a second the first of them could be driven out.
  let came = 0
  for (let n = 0; n < MOST; n += 1) if (come(`198.51.${n & 255}.${n >> 8}`, 1)) came += 1
  t.equal(come('192.0.2.1', 1), false, 'nobody is driven out at once')
  t.equal(came, MOST)
  const own = () => [...present].filter(({ address }) => address === '192.0.2.1').length
  let port = 1
  // Each of the oldest has had its chance in turn.
  await until(() => {
    port += 1
    come('192.0.2.1', port)
    return own() === PER_SOURCE
  })
  for (const last = port + 1_000; port < last; port += 1) come('192.0.2.1', port)
  t.equal(own(), PER_SOURCE)
  t.equal(present.size, MOST)
  const oldest = [...present].filter(({ address }) => address !== '192.0.2.1').length
  t.equal(oldest, MOST - PER_SOURCE)
})

t.test('when the relay takes no more players at all, nobody is driven out', async (t) => {
  const { come, present } = startIntake(MOST)
  for (let n = 0; n < MOST; n += 1) come(`198.51.${n & 255}.${n >> 8}`, 1)
  const first = [...present][0]
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  t.equal(come('192.0.2.1', 1), false)
  t.ok(first !== undefined && present.has(first))
})
