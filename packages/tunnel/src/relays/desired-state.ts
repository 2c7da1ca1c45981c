import type { Sql } from '@sallyport/core'
import type { RelayAllocation } from '@sallyport/relay'
import { type AllocationRow, selectAllocations, storedTraffic, type Traffic } from '../allocations/allocation.js'

/** What one relay should serve. */
export interface DesiredState {
  readonly revision: number
  readonly allocations: RelayAllocation[]
  /** Totals in the database, by allocation. */
  readonly traffic: ReadonlyMap<number, Traffic>
}

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

/** @param paused closes every port while keeping it */
export async function readDesiredState(sql: Sql, relayId: string, paused: boolean): Promise<DesiredState> {
  const revision = await nextRevision(sql)
  const rows = await sql<AllocationRow>(`${selectAllocations} WHERE a.relay_id = $1 ORDER BY a.id`, [relayId])
  return {
    revision,
    allocations: rows.map((row) => ({
      id: Number(row.id),
      deviceId: row.device_id,
      protocol: row.protocol,
      port: row.port,
      target: { host: row.local_host, port: row.local_port },
      paused: paused || row.paused,
    })),
    traffic: new Map(rows.map((row) => [Number(row.id), storedTraffic(row)])),
  }
}
