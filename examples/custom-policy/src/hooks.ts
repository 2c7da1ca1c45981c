import type { TunnelHooks, Verdict } from '@sallyport/tunnel'
import { type Accounts, accountOf } from './accounts.js'
import type { Bans } from './bans.js'
import type { Report } from './decision.js'
import { checkPlan, plans } from './plans.js'
import type { Seats } from './seats.js'

/** Where the rules are kept. */
export interface Store {
  readonly accounts: Accounts
  readonly bans: Bans
  readonly seats: Seats
}

/** The host's say about tunnels and players. */
export function createHooks(store: () => Store, report: Report): Required<Omit<TunnelHooks, 'beforeEnrolment'>> {
  return {
    beforeAllocation: {
      async decide(attempt) {
        const { accounts } = store()
        const { plan } = await accounts.find(accountOf(attempt))
        const verdict = checkPlan(plan, attempt)
        const why = verdict.allow ? `the plan ${plan} has it` : (verdict.reason ?? '')
        report({ about: 'allocation', subject: attempt.deviceId, allowed: verdict.allow, why })
        return verdict
      },
    },

    beforeConnection: {
      async decide(attempt) {
        const { accounts, bans, seats } = store()
        // A link-local address may carry the name of an interface, which the database does not take.
        const subject = withoutZone(attempt.remoteAddress)
        const say = (allowed: boolean, why: string): Verdict => {
          report({ about: 'connection', subject, allowed, why })
          return allowed ? { allow: true } : { allow: false, reason: why }
        }
        const ban = await bans.of(subject)
        if (ban) return say(false, `banned by ${ban.range}: ${ban.reason}`)
        const accountId = accountOf(attempt)
        if (accountId === null) return say(true, 'the device is nobody’s')
        const { plan } = await accounts.find(accountId)
        const { maxPlayers } = plans[plan]
        const isSeated = await seats.take({ ...attempt, remoteAddress: subject }, accountId, maxPlayers)
        if (!isSeated) return say(false, `the plan ${plan} has ${maxPlayers} players at once`)
        return say(true, `one of ${maxPlayers} players of the plan ${plan}`)
      },
      // Without an answer in time. Games go on while the panel or its database is away; 'deny' if bans must hold even then.
      otherwise: 'allow',
    },

    // Those who were let in and did not get through, because the agent was away, are told here too.
    async afterConnection(ends) {
      const players = ends.map((end) => ({ ...end, remoteAddress: withoutZone(end.remoteAddress) }))
      await store().seats.free(players)
      for (const { remoteAddress: subject, reason, durationMs } of players) {
        if (reason === 'denied') continue
        const why = `${reason}, after ${Math.round(durationMs / 1_000)} s`
        report({ about: 'departure', subject, allowed: true, why })
      }
    },
  }
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '')
}
