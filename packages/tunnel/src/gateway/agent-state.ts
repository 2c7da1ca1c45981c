import type { Sql } from '@sallyport/core'
import type { StateMessage } from '@sallyport/relay'
import { type AllocationRow, selectAllocations } from '../allocations/allocation.js'
import { nextRevision } from '../relays/desired-state.js'
import type { Relays } from '../relays/relays.js'

/** The whole of what a device should serve, with a fresh ticket for each relay. */
export async function readAgentState(sql: Sql, relays: Relays, deviceId: string): Promise<StateMessage> {
  const revision = await nextRevision(sql)
  const rows = await sql<AllocationRow>(`${selectAllocations} WHERE a.device_id = $1::uuid ORDER BY a.id`, [deviceId])
  const live = relays.snapshot()
  return {
    type: 'state',
    revision,
    allocations: rows.map((row) => ({
      id: Number(row.id),
      protocol: row.protocol,
      host: row.host,
      port: row.port,
      localHost: row.local_host,
      localPort: row.local_port,
      status: live.state(row),
      relayId: row.relay_id,
    })),
    relays: relays.linksFor(deviceId),
  }
}
