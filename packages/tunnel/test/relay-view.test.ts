import fc from 'fast-check'
import t from 'tap'
import { createRelayView, type WantedAllocation } from '../dist/relays/relay-view.js'

interface Row {
  readonly device: number
  readonly port: number
}

const ids = fc.integer({ min: 0, max: 12 })
const rows = fc.record({ device: fc.integer({ min: 0, max: 3 }), port: fc.integer({ min: 1, max: 4 }) })
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), id: ids, row: rows }),
  fc.record({ kind: fc.constant('remove' as const), id: ids }),
  fc.record({ kind: fc.constant('some' as const), devices: fc.uniqueArray(fc.integer({ min: 0, max: 3 })) }),
  fc.record({ kind: fc.constant('whole' as const) }),
)

const wanted = (id: number, { device, port }: Row): WantedAllocation => ({
  allocation: { id, deviceId: `d${device}`, protocol: 'tcp', port, target: { host: '::1', port: 1 }, paused: false },
  ...{ ownerId: null, organisationId: null, version: '', status: null, error: null },
})

t.test('whatever is changed, and whatever is not told of: a whole sync makes the relay like the database', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const database = new Map<number, Row>()
      /** What the relay has, by what it was told. */
      const relay = new Map<number, string>()
      const view = createRelayView()
      const sync = (devices?: readonly number[]): void => {
        const some = [...database]
          .filter(([, { device }]) => devices?.includes(device) ?? true)
          .map(([id, row]) => wanted(id, row))
        const deviceIds = devices?.map((device) => `d${device}`)
        const { upsert, remove } = view.difference(some, deviceIds)
        view.accept(some, deviceIds)
        for (const id of remove) if (!relay.delete(id)) throw new Error('told to remove what it never had')
        for (const one of upsert) {
          const text = JSON.stringify(one)
          if (relay.get(one.id) === text) throw new Error('told what it has')
          relay.set(one.id, text)
        }
      }
      for (const one of [...steps, { kind: 'whole' as const }]) {
        if (one.kind === 'put') database.set(one.id, one.row)
        else if (one.kind === 'remove') database.delete(one.id)
        else if (one.kind === 'some') {
          sync(one.devices)
          for (const [id, row] of database) {
            const text = JSON.stringify(wanted(id, row).allocation)
            if (one.devices.includes(row.device) && relay.get(id) !== text) throw new Error('a device is behind')
          }
        } else sync()
      }
      const expected = [...database].map(([id, row]) => [id, JSON.stringify(wanted(id, row).allocation)] as const)
      if (expected.length !== relay.size || expected.some(([id, text]) => relay.get(id) !== text)) {
        throw new Error('the relay is not like the database')
      }
    }),
    { numRuns: 500 },
  )
})
