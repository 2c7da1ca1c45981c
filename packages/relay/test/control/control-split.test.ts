import fc from 'fast-check'
import t from 'tap'
import { CONTROL_LIMITS } from '../../dist/control/control.js'
import { parsePanelMessage } from '../../dist/control/control-parser.js'
import { splitRelayChange, splitRelayState } from '../../dist/control/control-split.js'
import type { RelayAllocation } from '../../dist/relay-types.js'

const MAX_PART_BYTES = 512 * 1024

function allocation(id: number, hostLength = 9): RelayAllocation {
  const target = { host: 'h'.repeat(hostLength), port: 25_565 }
  return { id, deviceId: 'device-1', protocol: 'tcp', port: 1 + (id % 65_535), target, paused: false }
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}

t.test('nothing is one message, and so is a little', (t) => {
  t.strictSame(splitRelayState(7, []), [{ type: 'relay_state', revision: 7, part: 0, parts: 1, allocations: [] }])
  t.strictSame(splitRelayChange(6, { revision: 7, upsert: [allocation(1)], remove: [2] }), [
    { type: 'relay_change', base: 6, revision: 7, part: 0, parts: 1, upsert: [allocation(1)], remove: [2] },
  ])
  t.end()
})

t.test('split messages are within the bounds, are taken by the parser, and lose nothing', (t) => {
  fc.assert(
    fc.property(fc.nat(12_000), fc.nat(12_000), fc.integer({ min: 1, max: 255 }), (upserts, removes, hostLength) => {
      const upsert = range(1, upserts).map((id) => allocation(id, hostLength))
      const remove = range(100_000, removes)
      const states = splitRelayState(5, upsert)
      const changes = splitRelayChange(4, { revision: 5, upsert, remove })
      for (const messages of [states, changes]) {
        for (const [index, message] of messages.entries()) {
          const text = JSON.stringify(message)
          if (message.part !== index || message.parts !== messages.length) return false
          if (Buffer.byteLength(text) > MAX_PART_BYTES || !parsePanelMessage(text).ok) return false
        }
      }
      const ids = (items: readonly RelayAllocation[]) => items.map(({ id }) => id).join()
      return (
        states.flatMap((message) => message.allocations).length === upserts &&
        ids(changes.flatMap((message) => message.upsert)) === ids(upsert) &&
        changes.flatMap((message) => message.remove).join() === remove.join()
      )
    }),
    { numRuns: 15 },
  )
  t.pass()
  t.end()
})

t.test('more than a relay takes is misuse', (t) => {
  const removed = range(1, CONTROL_LIMITS.relayAllocations + 1)
  t.throws(() => splitRelayChange(1, { revision: 2, upsert: [], remove: removed }), {
    code: 'RELAY_ERR_INVALID_STATE',
  })
  t.end()
})
