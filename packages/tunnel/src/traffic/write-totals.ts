import type { Sql } from '@sallyport/core'
import type { AllocationTraffic } from '@sallyport/relay'
import type { Traffic } from '../allocations/allocation.js'
import { inChunks } from '../in-chunks.js'

/** Rows written by one statement. */
const batchSize = 1_000

/** What an `UPDATE` that moves an allocation to another relay must set as well: that one's counts begin anew. */
export const countAnew: string = `counted_epoch = NULL, counted_before = NULL, counted_in = 0, counted_out = 0,
  counted_connections = 0`

/**
 * What a relay tells is absolute, so it may be written twice, late, or by two instances: what grew since the row last counted it is
 * added. Another epoch than the row's is a relay that counts anew, unless it is the epoch before, which is over. A relay that the
 * allocation is not on any more has no say. Rows that somebody else holds wait for the next time: many rows locked in no
 * certain order would be a deadlock with whoever removes several of them. The lock leaves keys alone, so series may refer to the rows.
 */
const statement = `
  WITH held AS (
    SELECT a.id, t.i, t.o, t.c, a.counted_epoch IS NOT DISTINCT FROM $2::text AS same,
      CASE WHEN a.counted_epoch = $2::text THEN greatest(0, t.i - a.counted_in) ELSE t.i END AS more_in,
      CASE WHEN a.counted_epoch = $2::text THEN greatest(0, t.o - a.counted_out) ELSE t.o END AS more_out,
      CASE WHEN a.counted_epoch = $2::text THEN greatest(0, t.c - a.counted_connections) ELSE t.c END AS more_connections
    FROM jsonb_to_recordset($1::jsonb) AS t (id bigint, i bigint, o bigint, c bigint)
    JOIN tunnel_allocations a ON a.id = t.id
    WHERE a.relay_id = $3 AND a.counted_before IS DISTINCT FROM $2::text
    ORDER BY a.id
    FOR NO KEY UPDATE OF a SKIP LOCKED),
  written AS (
    UPDATE tunnel_allocations a SET
      bytes_in = a.bytes_in + h.more_in,
      bytes_out = a.bytes_out + h.more_out,
      connections = a.connections + h.more_connections,
      counted_before = CASE WHEN h.same THEN a.counted_before ELSE a.counted_epoch END,
      counted_epoch = $2::text,
      counted_in = CASE WHEN h.same THEN greatest(a.counted_in, h.i) ELSE h.i END,
      counted_out = CASE WHEN h.same THEN greatest(a.counted_out, h.o) ELSE h.o END,
      counted_connections = CASE WHEN h.same THEN greatest(a.counted_connections, h.c) ELSE h.c END
    FROM held h WHERE a.id = h.id RETURNING a.id),
  series AS (
    INSERT INTO tunnel_traffic_minutes AS m (allocation_id, at, bytes_in, bytes_out, connections)
    SELECT id, date_trunc('minute', now(), 'UTC'), more_in, more_out, more_connections FROM held
    WHERE more_in + more_out + more_connections > 0
    ON CONFLICT (allocation_id, at) DO UPDATE SET
      bytes_in = m.bytes_in + excluded.bytes_in,
      bytes_out = m.bytes_out + excluded.bytes_out,
      connections = m.connections + excluded.connections)
  SELECT id, more_in, more_out, more_connections FROM written JOIN held USING (id)`

interface WrittenRow {
  readonly id: number | string
  readonly more_in: number | string
  readonly more_out: number | string
  readonly more_connections: number | string
}

/** Ids of those that the database has now, and what grew by that. */
export interface Written {
  readonly ids: ReadonlySet<number>
  readonly grown: Omit<Traffic, 'open'>
}

/** Brings a relay's running totals to the database, and what grew to the series of minutes (by the database's clock). */
export async function writeTotals(
  sql: Sql,
  relayId: string,
  epoch: string,
  totals: readonly AllocationTraffic[],
): Promise<Written> {
  const ids = new Set<number>()
  const grown = { bytesIn: 0, bytesOut: 0, connections: 0 }
  const rows = totals.map(({ allocationId, bytesIn, bytesOut, connections }) => ({
    id: allocationId,
    i: bytesIn,
    o: bytesOut,
    c: connections,
  }))
  rows.sort((a, b) => a.id - b.id)
  for (const batch of inChunks(rows, batchSize)) {
    for (const row of await sql<WrittenRow>(statement, [JSON.stringify(batch), epoch, relayId])) {
      ids.add(Number(row.id))
      grown.bytesIn += Number(row.more_in)
      grown.bytesOut += Number(row.more_out)
      grown.connections += Number(row.more_connections)
    }
  }
  return { ids, grown }
}
