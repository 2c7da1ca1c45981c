import type { RelayCandidate, RelayPolicy } from '@sallyport/tunnel'
import { type Account, type Accounts, accountOf } from './accounts.js'
import type { Report } from './decision.js'
import { plans } from './plans.js'
import { distanceBetween, isRegion } from './regions.js'

/**
 * The nearest region first, seen from the one that was asked for, else from the account's own; there the relay with the fewest players.
 * Relays labelled `tier: premium` are left out for plans without them: rather no tunnel than one of those.
 */
export function createRelayPolicy(accounts: () => Pick<Accounts, 'find'>, report: Report): RelayPolicy {
  return async (request, candidates) => {
    const account = await accounts().find(accountOf(request))
    const from = isRegion(request.region) ? request.region : account.region
    const usable = candidates.filter(({ labels }) => plans[account.plan].premiumRelays || labels['tier'] !== 'premium')
    const ranked = [...usable].sort(
      (a, b) =>
        distanceBetween(from, a.region) - distanceBetween(from, b.region) ||
        a.connections - b.connections ||
        a.allocations - b.allocations ||
        (a.id < b.id ? -1 : 1),
    )
    report({ about: 'relay', subject: request.deviceId, ...explain(account, from, ranked, candidates) })
    return ranked
  }
}

function explain(
  { plan }: Account,
  from: string,
  ranked: readonly RelayCandidate[],
  candidates: readonly RelayCandidate[],
): { readonly allowed: boolean; readonly relayId?: string; readonly why: string } {
  const premium = candidates.length - ranked.length
  const leftOut = premium === 0 ? '' : `; ${premium} premium left out, for the plan is ${plan}`
  const [best] = ranked
  if (!best) return { allowed: false, why: `none of ${candidates.length} may be used${leftOut}` }
  const why = `of ${candidates.length}, seen from ${from}: region ${best.region ?? 'unknown'}, ${best.connections} players${leftOut}`
  return { allowed: true, relayId: best.id, why }
}
