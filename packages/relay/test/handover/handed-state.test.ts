import t from 'tap'
import { readHandedState } from '../../dist/handover/handed-state.js'

const message = { allocationId: 2, target: { host: '127.0.0.1', port: 1 }, remoteAddress: '127.0.0.1', remotePort: 9 }

function stateWith(message: unknown): Record<string, unknown> {
  const progress = { bytesIn: 0, bytesOut: 0, openForMs: 1 }
  const flow = { id: 1, message, address: '127.0.0.1', port: 9, answered: true, validated: false, progress }
  return { snapshot: {}, epoch: 'an epoch', totals: [], sockets: ['data'], tables: [], flows: [flow] }
}

t.test('a flow of which it is not said whose it is makes no state', async (t) => {
  t.ok(readHandedState(stateWith(message)), 'otherwise it is one')
  const ring: { self?: unknown } = {}
  ring.self = ring
  for (const wrong of [
    undefined,
    null,
    1n,
    'text',
    [],
    {},
    { ...message, target: null },
    { ...message, header: 1 },
    ring,
  ])
    t.equal(readHandedState(stateWith(wrong)), undefined)
})
