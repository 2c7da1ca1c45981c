import fc from 'fast-check'
import t from 'tap'
import { parseAllocationOptions } from '../../dist/index.js'
import { parseRelayAllocation, parseRelayChange, parseRelayState } from '../../dist/state/relay-state.js'
import { allocation } from '../support.js'

const all = {
  proxyProtocol: 'v2',
  maxConnections: 5,
  maxConnectionsPerSource: 2,
  connectionRate: 20,
  bandwidth: 1_000,
  allow: ['10.0.0.0/8'],
  deny: ['10.0.0.1', '2001:db8::/32'],
  idleTimeout: 60,
}

t.test('every option is taken, unknown fields are left behind, and the copy is its own', async (t) => {
  t.same(parseAllocationOptions({ ...all, other: 1 }, 'both'), { ok: true, options: all })
  t.same(parseAllocationOptions(undefined, 'tcp'), { ok: true, options: {} })
  t.same(parseAllocationOptions({ bandwidth: undefined }, 'tcp'), { ok: true, options: {} })
  const given = { allow: ['10.0.0.1'] }
  const parsed = parseAllocationOptions(given, 'tcp')
  given.allow.push('nonsense')
  t.same(parsed, { ok: true, options: { allow: ['10.0.0.1'] } })
})

t.test('the bad field is named', async (t) => {
  const bad: [unknown, string][] = [
    [null, ''],
    [[], ''],
    ['x', ''],
    [{ proxyProtocol: 'v3' }, 'proxyProtocol'],
    [{ proxyProtocol: null }, 'proxyProtocol'],
    [{ maxConnections: 0 }, 'maxConnections'],
    [{ maxConnections: '5' }, 'maxConnections'],
    [{ maxConnectionsPerSource: 0 }, 'maxConnectionsPerSource'],
    [{ connectionRate: 0.5 }, 'connectionRate'],
    [{ connectionRate: 1_000_001 }, 'connectionRate'],
    [{ bandwidth: 1.5 }, 'bandwidth'],
    [{ bandwidth: Number.POSITIVE_INFINITY }, 'bandwidth'],
    [{ idleTimeout: -1 }, 'idleTimeout'],
    [{ allow: '10.0.0.1' }, 'allow'],
    [{ allow: ['10.0.0.1', '10.0.0.1/33'] }, 'allow[1]'],
    [{ deny: [10] }, 'deny[0]'],
    [{ deny: Array.from({ length: 257 }, () => '10.0.0.1') }, 'deny'],
    [{ deny: ['1'.repeat(100_000)] }, 'deny[0]'],
  ]
  for (const [value, field] of bad) t.match(parseAllocationOptions(value, 'tcp'), { ok: false, field }, field)
  t.match(parseAllocationOptions({ proxyProtocol: 'v1' }, 'udp'), { ok: false, field: 'proxyProtocol' })
  t.match(parseAllocationOptions({ proxyProtocol: 'v1' }, 'both'), { ok: false, field: 'proxyProtocol' })
  t.ok(parseAllocationOptions({ proxyProtocol: 'v1' }, 'tcp').ok)
})

t.test('anything at all is answered', async () => {
  const field = fc.oneof(fc.anything(), fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6())), fc.integer())
  fc.assert(
    fc.property(fc.anything(), fc.dictionary(fc.constantFrom(...Object.keys(all)), field), (value, near) => {
      parseRelayAllocation(value)
      parseRelayState(value)
      parseRelayChange(value)
      const parsed = parseAllocationOptions(near, 'tcp')
      return !parsed.ok || parseAllocationOptions(parsed.options, 'tcp').ok
    }),
  )
})

t.test('an allocation carries its options and grant; the path of a bad field is whole', async (t) => {
  const good = allocation(1, 80, { options: { bandwidth: 5 }, grant: 'g' })
  t.same(parseRelayAllocation(good), { ok: true, allocation: { ...good, paused: false } })
  t.same(parseRelayAllocation({ ...good, options: {} }), {
    ok: true,
    allocation: { ...allocation(1, 80), grant: 'g', paused: false },
  })
  t.match(parseRelayAllocation({ ...good, grant: '' }), { ok: false, field: 'grant' })
  t.match(parseRelayState({ revision: 1, allocations: [{ ...good, options: { allow: ['x'] } }] }), {
    ok: false,
    detail: 'allocations[0].options.allow[0]',
  })
  t.match(parseRelayChange({ revision: 1, upsert: [good, good], remove: [] }), { ok: false, detail: /upsert\[1\].id/ })
  t.match(parseRelayChange({ revision: 1, upsert: [], remove: [1, '2'] }), { ok: false, detail: 'remove[1]' })
})
