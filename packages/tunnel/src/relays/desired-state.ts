import type { Sql } from '@sallyport/core'
import type { AllocationOptions, RelayAllocation } from '@sallyport/relay'
import type { Protocol } from '../allocations/ports.js'
import type { WantedAllocation } from './relay-view.js'

/** What one relay should serve. */
export interface DesiredState {
  readonly revision: number
  readonly allocations: readonly WantedAllocation[]
}

interface DesiredRow {
  readonly id: number | string
  readonly device_id: string
  readonly token_id: string | null
  readonly owner_id: string | null
  readonly organisation_id: string | null
  readonly protocol: Protocol
  readonly port: number
  readonly local_host: string
  readonly local_port: number
  readonly paused: boolean
  readonly options: AllocationOptions | null
  readonly relay_status: string | null
  readonly relay_error: string | null
  readonly version: string
}

/** No ticket carries it: a device without a token in force has no link. */
const noGrant = 'none'

/**
 * The number is drawn before anything is read, so a higher one was read later. It comes from a sequence, so it grows
 * over restarts and on every instance.
 */
export async function nextRevision(sql: Sql): Promise<number> {
  const [row] = await sql<{ revision: number | string }>(`SELECT nextval('tunnel_revision') AS revision`)
  return Number(row?.revision)
}

/** Makes sure that the next revision is above `revision`: a database restored from a backup counts from lower. */
export async function raiseRevision(sql: Sql, revision: number): Promise<void> {
  await sql(`SELECT setval('tunnel_revision', GREATEST($1::bigint, (SELECT last_value FROM tunnel_revision)))::text`, [
    revision,
  ])
}

/**
 * @param paused closes every port while keeping it
 * @param deviceIds reads the allocations of these devices only
 */
export async function readDesiredState(
  sql: Sql,
  relayId: string,
  paused: boolean,
  deviceIds?: readonly string[],
): Promise<DesiredState> {
  const revision = await nextRevision(sql)
  const some = deviceIds ? 'AND a.device_id IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb))' : ''
  const rows = await sql<DesiredRow>(
    `SELECT a.id, a.device_id, d.token_id, d.owner_id, d.organisation_id, a.protocol, a.port, a.local_host, a.local_port,
       a.paused, a.options, a.relay_status, a.relay_error, a.updated_at::text AS version
     FROM tunnel_allocations a JOIN tunnel_devices d ON d.id = a.device_id
     WHERE a.relay_id = $1 ${some} ORDER BY a.id`,
    deviceIds ? [relayId, JSON.stringify(deviceIds)] : [relayId],
  )
  return {
    revision,
    allocations: rows.map((row) => ({
      allocation: toRelayAllocation(row, paused),
      ownerId: row.owner_id,
      organisationId: row.organisation_id,
      version: row.version,
      status: row.relay_status,
      error: row.relay_error,
    })),
  }
}

function toRelayAllocation(row: DesiredRow, paused: boolean): RelayAllocation {
  const { options } = row
  return {
    id: Number(row.id),
    deviceId: row.device_id,
    protocol: row.protocol,
    port: row.port,
    target: { host: row.local_host, port: row.local_port },
    paused: paused || row.paused,
    grant: row.token_id ?? noGrant,
    ...(options && Object.keys(options).length > 0 ? { options } : {}),
  }
}
