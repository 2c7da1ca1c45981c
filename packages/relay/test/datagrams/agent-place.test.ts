import t from 'tap'
import { AgentPlace } from '../../dist/datagrams/agent-place.js'

const packet = (bytes: number) => [Buffer.alloc(14), Buffer.alloc(bytes - 30), Buffer.alloc(16)]

function proven(): AgentPlace {
  const place = new AgentPlace()
  place.follow('192.0.2.1', 1)
  place.answered(place.ask(0) ?? 0)
  return place
}

t.test('an answer counts however long it takes, and however often was asked meanwhile', async (t) => {
  const place = new AgentPlace()
  t.equal(place.ask(0), undefined, 'there is nobody to ask')
  t.equal(place.follow('192.0.2.1', 1), true)
  const first = place.ask(1_000) ?? 0
  t.equal(place.ask(1_010), undefined, 'not at once again')
  for (let now = 1_100; now < 3_000; now += 100) t.ok(place.ask(now) !== undefined)
  t.equal(place.answered(0), false)
  t.equal(place.answered(first + 1), false)
  t.equal(place.proven, false)
  t.equal(place.answered(first), true)
  t.equal(place.proven, true)
  t.equal(place.answered(first), false, 'once')
  t.equal(place.ask(5_000), undefined)
})

t.test('a question to one place is not answered for another', async (t) => {
  const place = proven()
  place.follow('192.0.2.2', 2)
  const id = place.ask(1_000) ?? 0
  place.follow('192.0.2.3', 3)
  t.equal(place.answered(id), false)
  t.equal(place.proven, false)
  t.equal(place.follow('192.0.2.1', 1), true)
  t.equal(place.proven, true, 'the one that had answered is believed when the agent is back')
})

t.test('new places share a small allowance; the rest goes where the agent last answered', async (t) => {
  const place = proven()
  let toNew = 0
  for (let n = 0; n < 1_000; n += 1) {
    place.follow('192.0.2.9', 1_000 + n)
    if (place.destination(packet(1_000))?.address === '192.0.2.9') toNew += 1_000
  }
  t.ok(toNew > 60_000 && toNew <= 65_536, `${toNew} bytes`)
  t.same(place.destination(packet(1_000)), { address: '192.0.2.1', port: 1 })
  const unknown = new AgentPlace()
  t.equal(unknown.destination(packet(100)), undefined)
})
