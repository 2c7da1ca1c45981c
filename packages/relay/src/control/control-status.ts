import type { Agent } from '../agent-types.js'
import { CONTROL_LIMITS, type RefusedAllocation, type RelayLinkStatus } from './control.js'

export interface StatusReporterOptions {
  agent: Pick<Agent, 'links' | 'refusals'>
  /** Changes are gathered this long, */
  delayMs: number
  /** and a report is made this often without any. */
  intervalMs: number
  /** Relays that the panel's state names, */
  knows(relayId: string): boolean
  /** and its allocations: what is said of others, the panel would have to take for a lie. */
  serves(allocationId: number): boolean
  send(report: { type: 'status'; relays: RelayLinkStatus[]; refused?: RefusedAllocation[] }): unknown
}

/** Tells the panel how the agent's links stand and which targets it refuses. */
export interface StatusReporter {
  start(): void
  /** Something may have changed: a report follows soon. */
  changed(): void
  stop(): void
}

export function createStatusReporter(options: StatusReporterOptions): StatusReporter {
  let soon: NodeJS.Timeout | undefined
  let often: NodeJS.Timeout | undefined

  function report(): void {
    soon = undefined
    const relays = options.agent
      .links()
      .filter((link) => options.knows(link.relayId))
      .slice(0, CONTROL_LIMITS.relays)
      .map((link) => ({
        id: link.relayId,
        connected: link.connected,
        ...(link.rttMs === undefined ? {} : { rttMs: Math.round(link.rttMs * 1_000) / 1_000 }),
      }))
    const refused = options.agent
      .refusals()
      .filter(({ allocationId }) => options.serves(allocationId))
      .slice(0, CONTROL_LIMITS.refused)
      .map(({ allocationId, error }) => ({ allocationId, error }))
    options.send({ type: 'status', relays, ...(refused.length === 0 ? {} : { refused }) })
  }

  return {
    start() {
      often ??= setInterval(report, options.intervalMs)
    },
    changed() {
      soon ??= setTimeout(report, options.delayMs)
    },
    stop() {
      clearTimeout(soon)
      clearInterval(often)
      soon = undefined
      often = undefined
    },
  }
}
