import type { Sql } from '@sallyport/core'
import { CONTROL_LIMITS, type ControlRelay, type StateMessage } from '@sallyport/relay'
import { type AllocationRow, type LiveAllocations, selectAllocations } from '../allocations/allocation.js'
import { nextRevision } from '../relays/desired-state.js'

/** What states are made of besides the database. */
export interface StateSources {
  readonly snapshot: () => LiveAllocations
  /** What each device dials, each with a fresh ticket; a device that is left out has nothing to dial. */
  readonly linksFor: (
    deviceIds: readonly string[],
  ) => ReadonlyMap<string, readonly ControlRelay[]> | Promise<ReadonlyMap<string, readonly ControlRelay[]>>
}

/** The whole of what each device should serve, with a fresh ticket for each relay. */
export async function readAgentStates(
  sql: Sql,
  { snapshot, linksFor }: StateSources,
  deviceIds: readonly string[],
): Promise<Map<string, StateMessage>> {
  const revision = await nextRevision(sql)
  const rows = await sql<AllocationRow>(
    `${selectAllocations} WHERE a.device_id IN (SELECT jsonb_array_elements_text($1::jsonb)::uuid) ORDER BY a.id`,
    [JSON.stringify(deviceIds)],
  )
  const links = await linksFor(deviceIds)
  const live = snapshot()
  const states = new Map<string, StateMessage>(
    deviceIds.map((id) => [id, { type: 'state', revision, allocations: [], relays: [...(links.get(id) ?? [])] }]),
  )
  for (const row of rows) {
    const allocations = states.get(row.device_id)?.allocations
    // An agent refuses a message with more.
    if (!allocations || allocations.length >= CONTROL_LIMITS.allocations) continue
    allocations.push({
      id: Number(row.id),
      protocol: row.protocol,
      host: row.host,
      port: row.port,
      localHost: row.local_host,
      localPort: row.local_port,
      status: live.state(row),
      relayId: row.relay_id,
    })
  }
  return states
}
