import t from 'tap'
import { defaultRelayPolicy, type RelayCandidate } from '../dist/index.js'
import { relayPolicyContract } from '../dist/testing/index.js'

relayPolicyContract(t, defaultRelayPolicy)

const request = { deviceId: 'd', ownerId: 'o', organisationId: 'guild', region: 'north', protocols: ['tcp'] as const }
const relay = (id: string, rest: Partial<RelayCandidate> = {}): RelayCandidate => ({
  ...{ id, host: id, hostGroup: id, region: null, labels: {}, organisationId: null },
  ...{ capacity: 100, allocations: 0, connections: 0 },
  ...rest,
})
const order = async (...candidates: RelayCandidate[]) =>
  (await defaultRelayPolicy(request, candidates)).map(({ id }) => id).join(' ')

t.test("the organisation's own, then the region, then the load", async (t) => {
  const own = relay('own', { organisationId: 'guild', allocations: 90 })
  const near = relay('near', { region: 'north', allocations: 50 })
  t.equal(await order(relay('far'), near, own), 'own near far')
  t.equal(await order(relay('full', { allocations: 9 }), relay('free', { allocations: 8 })), 'free full')
  t.equal(
    await order(relay('small', { capacity: 10, allocations: 5 }), relay('large', { allocations: 6 })),
    'large small',
  )
  t.equal(await order(relay('busy', { connections: 2 }), relay('calm', { connections: 1 })), 'calm busy')
  t.equal(await order(relay('b'), relay('a')), 'a b', 'the same each time')
})
