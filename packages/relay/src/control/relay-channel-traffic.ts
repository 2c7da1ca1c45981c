import type { Relay } from '../relay-types.js'
import { CONTROL_LIMITS } from './control.js'
import type { RelayTrafficMessage } from './control-relay-messages.js'
import { chunk } from './control-split.js'

/** Tells the panel the running totals that are different from those it has. */
export interface TrafficReporter {
  report(): void
  /** Players now, at the last look. */
  readonly players: number
  /** The connection is over: what was sent on it may have been lost. */
  reset(): void
}

type Totals = RelayTrafficMessage['totals'][number]

/** Under MAX_AGENT_MESSAGE_BYTES, with what surrounds them. */
const MAX_TOTALS_BYTES = 60 * 1024

export function createTrafficReporter(
  relay: Pick<Relay, 'traffic' | 'epoch'>,
  send: (message: RelayTrafficMessage) => boolean,
): TrafficReporter {
  let sent = new Map<number, Totals>()
  let players = 0

  return {
    report() {
      const now = new Map<number, Totals>()
      const news: Totals[] = []
      players = 0
      for (const { allocationId, bytesIn, bytesOut, connections, open } of relay.traffic()) {
        const totals: Totals = [allocationId, bytesIn, bytesOut, connections, open]
        const before = sent.get(allocationId)
        players += open
        now.set(allocationId, before ?? totals)
        if (before ? totals.every((value, index) => value === before[index]) : isNothing(totals)) continue
        now.set(allocationId, totals)
        news.push(totals)
      }
      sent = now
      if (news.length === 0) return
      for (const totals of chunk(news, CONTROL_LIMITS.relayTotals, MAX_TOTALS_BYTES)) {
        // Not taken: the connection is over, and all is told again on the next.
        if (!send({ type: 'relay_traffic', epoch: relay.epoch, totals })) return
      }
    },
    get players() {
      return players
    },
    reset() {
      sent = new Map()
    },
  }
}

function isNothing([, ...counts]: Totals): boolean {
  return counts.every((value) => value === 0)
}
