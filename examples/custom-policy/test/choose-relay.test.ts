import type { RelayCandidate } from '@sallyport/tunnel'
import t, { type Test } from 'tap'
import type { Account } from '../dist/accounts.js'
import { createRelayPolicy } from '../dist/choose-relay.js'
import type { Decision } from '../dist/decision.js'
import { distanceBetween, regions } from '../dist/regions.js'

const decisions: Decision[] = []
const relay = (id: string, region: string | null, rest: Partial<RelayCandidate> = {}): RelayCandidate => ({
  ...{ id, host: id, hostGroup: id, region, labels: {}, organisationId: null },
  ...{ capacity: null, allocations: 0, connections: 0 },
  ...rest,
})
const premium = { labels: { tier: 'premium' } }

function chooseFor(t: Test, account: Pick<Account, 'plan' | 'region'>, wanted: string | null = null) {
  const asked: (string | null)[] = []
  const find = async (id: string | null): Promise<Account> => {
    asked.push(id)
    return { id: id ?? '', ...account }
  }
  const policy = createRelayPolicy(
    () => ({ find }),
    (decision) => decisions.push(decision),
  )
  return async (...candidates: RelayCandidate[]): Promise<string> => {
    const request = { deviceId: 'd', ownerId: 'o', organisationId: null, region: wanted, protocols: ['tcp'] as const }
    const chosen = await policy(request, candidates)
    t.same(asked.splice(0), ['o'])
    return chosen.map(({ id }) => id).join(' ')
  }
}

t.test('the nearest region, then the fewest players', async (t) => {
  const choose = chooseFor(t, { plan: 'free', region: 'us' })
  const near = [relay('busy', 'us', { connections: 9 }), relay('calm', 'us', { connections: 2 })]
  t.equal(await choose(relay('asia', 'asia'), ...near, relay('eu', 'eu')), 'calm busy eu asia')
  t.equal(await choose(relay('nowhere', null), relay('moon', 'moon'), relay('asia', 'asia')), 'asia moon nowhere')
  t.equal(await choose(relay('b', 'us'), relay('a', 'us')), 'a b', 'the same each time')
})

t.test('a wanted region counts in place of the account’s, if it is one', async (t) => {
  const all = [relay('eu', 'eu'), relay('us', 'us'), relay('asia', 'asia')]
  t.equal(await chooseFor(t, { plan: 'free', region: 'eu' }, 'asia')(...all), 'asia us eu')
  t.equal(await chooseFor(t, { plan: 'free', region: 'eu' }, 'atlantis')(...all), 'eu us asia')
})

t.test('premium relays are left out for the free plan, and are like others for those who pay', async (t) => {
  const all = [relay('gold', 'eu', premium), relay('far', 'asia'), relay('plain', 'eu', { connections: 5 })]
  t.equal(await chooseFor(t, { plan: 'free', region: 'eu' })(...all), 'plain far')
  t.equal(await chooseFor(t, { plan: 'pro', region: 'eu' })(...all), 'gold plain far')
  decisions.length = 0
  t.equal(await chooseFor(t, { plan: 'free', region: 'eu' })(relay('gold', 'eu', premium)), '', 'rather none')
  t.match(decisions, [
    { about: 'relay', subject: 'd', allowed: false, why: /1 premium left out, for the plan is free/ },
  ])
})

t.test('distances are the same both ways, and at home is nearest', async (t) => {
  for (const from of regions) {
    for (const to of regions) {
      t.equal(distanceBetween(from, to), distanceBetween(to, from))
      if (to !== from) t.ok(distanceBetween(from, to) > distanceBetween(from, from))
    }
  }
})
