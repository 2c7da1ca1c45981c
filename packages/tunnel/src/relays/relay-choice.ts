import { coreErrors, type Events } from '@sallyport/core'
import type { PortRange } from '../config.js'
import type { RelayCandidate, RelayPolicy, RelayRequest } from './relay-policy.js'
import type { RelayRow } from './relay-row.js'
import type { RelayTable } from './relay-table.js'
import type { RelayLoad } from './steered-relay.js'

/** A relay that may take a new allocation. */
export interface ChosenRelay {
  readonly id: string
  readonly hostGroup: string
  /** Public ports that it can serve. */
  readonly portRange: PortRange
}

export interface RelayChoice {
  /**
   * Relays for a new allocation, the best first; none when there is none.
   * @throws `CORE_ERR_UNAVAILABLE` (503) when there are some, but none that can be reached while Redis is away
   */
  choose(request: RelayRequest): Promise<readonly ChosenRelay[]>
}

interface RelayChoiceOptions {
  readonly table: RelayTable
  readonly policy: RelayPolicy
  readonly events: Pick<Events, 'connected'>
  readonly portRange: PortRange
  readonly instanceId: string
  /** Of a relay that is steered here; what the database has is a little older. */
  readonly loadOf: (relayId: string) => RelayLoad | undefined
}

const retryAfterSeconds = 5
/** A relay that went must not be chosen for long. */
const freshMs = 250

export function createRelayChoice(options: RelayChoiceOptions): RelayChoice {
  const { table, policy, events, portRange, instanceId, loadOf } = options
  /** Chosen since the table was read: a moment in which many are made must not all go to one relay. */
  let chosen = new Map<string, number>()
  let chosenOf: ReadonlyMap<string, RelayRow> | undefined

  const isElsewhere = (row: RelayRow): boolean => row.online && row.instance_id !== instanceId
  const isUnreachable = (row: RelayRow): boolean => !events.connected && isElsewhere(row)
  const unavailable = () =>
    coreErrors.UNAVAILABLE({ reason: 'The instances do not hear of each other' }, { retryAfter: retryAfterSeconds })

  const toCandidate = (row: RelayRow): RelayCandidate => ({
    id: row.id,
    host: row.host,
    hostGroup: row.host_group,
    region: row.region,
    labels: row.labels,
    organisationId: row.organisation_id,
    capacity: row.capacity,
    allocations: row.allocations + (chosen.get(row.id) ?? 0),
    connections: loadOf(row.id)?.connections ?? row.connections,
  })

  return {
    async choose(request) {
      const rows = await table.read(freshMs)
      if (chosenOf !== rows) {
        chosenOf = rows
        chosen = new Map()
      }
      const open = [...rows.values()].filter(
        (row) =>
          row.online &&
          !row.gone_for_good &&
          !(loadOf(row.id)?.draining ?? row.draining) &&
          (row.organisation_id === null || row.organisation_id === request.organisationId),
      )
      const needed = request.protocols.length
      const candidates = open
        .filter((row) => !isUnreachable(row))
        .map(toCandidate)
        .filter(({ capacity, allocations }) => capacity === null || allocations + needed <= capacity)
      if (candidates.length === 0) {
        if (open.some(isUnreachable)) throw unavailable()
        return []
      }
      const known = new Set(candidates.map(({ id }) => id))
      const wanted = await policy(request, candidates)
      const ids = [...new Set(wanted.map(({ id }) => id))].filter((id) => known.has(id))
      const [best] = ids
      if (best !== undefined) chosen.set(best, (chosen.get(best) ?? 0) + needed)
      return ids.flatMap((id) => {
        const row = rows.get(id)
        return row ? { id, hostGroup: row.host_group, portRange: portsOf(row, portRange) } : []
      })
    },
  }
}

/** A relay's own ports, if it says which; else the panel's. */
function portsOf({ port_from, port_to }: RelayRow, panel: PortRange): PortRange {
  return port_from === null || port_to === null ? panel : { from: port_from, to: port_to }
}
