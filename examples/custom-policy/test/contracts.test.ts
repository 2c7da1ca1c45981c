import { relayPolicyContract, tunnelHooksContract } from '@sallyport/tunnel/testing'
import t from 'tap'
import { loadRules } from './support/rules.js'

const deviceId = '00000000-0000-4000-8000-000000000001'
const principal = { kind: 'user', id: 'bob', permissions: [], memberships: [], strategy: 'session' } as const
const allocation = {
  ...{ deviceId, ownerId: 'bob', organisationId: null, principal },
  ...({ protocol: 'tcp', localHost: '127.0.0.1', localPort: 25_565, port: undefined } as const),
} as const
const player = {
  ...{ ownerId: 'bob', organisationId: null },
  ...({ relayId: 'relay', allocationId: 1, deviceId, protocol: 'tcp', port: 20_000 } as const),
  ...{ remoteAddress: '198.51.100.7', remotePort: 50_000 },
} as const

t.test('the policy and the hooks keep their contracts', async (t) => {
  const rules = await loadRules(t)
  const runner = {
    test: (name: string, body: () => Promise<void>) => t.test(name, async (t) => void (await t.resolves(body()))),
  }
  for (const plan of ['free', 'pro'] as const) {
    // The contract's requests come from 'guild' and from nobody.
    await rules.accounts.save({ id: 'guild', plan, region: 'us' })
    await t.test(plan, async (t) => {
      const inOrder = {
        test: (name: string, body: () => Promise<void>) => t.test(name, async (t) => t.resolves(body())),
      }
      relayPolicyContract(inOrder, rules.chooseRelay)
    })
  }
  await rules.bans.add('203.0.113.0/24', 'cheats')
  tunnelHooksContract(runner, async () => ({
    hooks: rules.hooks,
    attempts: {
      beforeAllocation: { allowed: allocation, refused: { ...allocation, protocol: 'udp' } },
      beforeConnection: { allowed: player, refused: { ...player, remoteAddress: '203.0.113.9' } },
    },
    ends: [{ ...player, bytesIn: 1, bytesOut: 1, durationMs: 1_000, reason: 'end' as const }],
  }))
})
