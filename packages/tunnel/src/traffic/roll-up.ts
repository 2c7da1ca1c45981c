import type { Sql } from '@sallyport/core'
import type { Sequelize } from 'sequelize'

export interface Kept {
  /** Minutes of hours that began longer ago become hours. */
  readonly minutesKeptHours: number
  readonly hoursKeptDays: number
}

/** Minutes that one transaction takes. */
const batchSize = 10_000
/** Transactions of one run; the rest waits for the next. */
const maxBatches = 100

/**
 * Minutes are moved: what is taken out is added to the hours by the same statement, so whoever does it, however often, and whatever
 * comes late, each byte is in one of the two tables. Of allocations that somebody is about to delete nothing is taken, which would be
 * a deadlock.
 */
const move = `
  WITH old AS (
    SELECT m.allocation_id, m.at FROM tunnel_traffic_minutes m
    JOIN tunnel_allocations a ON a.id = m.allocation_id
    WHERE m.at < date_trunc('hour', now(), 'UTC') - make_interval(hours => $1)
    ORDER BY m.at, m.allocation_id LIMIT $2
    FOR KEY SHARE OF a SKIP LOCKED),
  taken AS (
    DELETE FROM tunnel_traffic_minutes m USING old WHERE m.allocation_id = old.allocation_id AND m.at = old.at
    RETURNING m.*),
  added AS (
    INSERT INTO tunnel_traffic_hours AS h (allocation_id, at, bytes_in, bytes_out, connections)
    SELECT allocation_id, date_trunc('hour', at, 'UTC'), sum(bytes_in), sum(bytes_out), sum(connections)
    FROM taken GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (allocation_id, at) DO UPDATE SET
      bytes_in = h.bytes_in + excluded.bytes_in,
      bytes_out = h.bytes_out + excluded.bytes_out,
      connections = h.connections + excluded.connections)
  SELECT count(*)::integer AS moved FROM taken`

const forget = `
  WITH old AS (
    SELECT h.allocation_id, h.at FROM tunnel_traffic_hours h
    JOIN tunnel_allocations a ON a.id = h.allocation_id
    WHERE h.at < now() - make_interval(days => $1)
    ORDER BY h.at LIMIT $2
    FOR KEY SHARE OF a SKIP LOCKED),
  gone AS (
    DELETE FROM tunnel_traffic_hours h USING old WHERE h.allocation_id = old.allocation_id AND h.at = old.at
    RETURNING h.at)
  SELECT count(*)::integer AS moved FROM gone`

/** Keeps the series short, on one instance at a time: old minutes become hours, old hours go. */
export async function rollUp(sql: Sql, sequelize: Sequelize, kept: Kept): Promise<void> {
  for (const [statement, age] of [
    [move, kept.minutesKeptHours],
    [forget, kept.hoursKeptDays],
  ] as const) {
    for (let batch = 0; batch < maxBatches; batch += 1) {
      const done = await sequelize.transaction(async (transaction) => {
        const [lock] = await sql<{ mine: boolean }>(
          `SELECT pg_try_advisory_xact_lock(hashtextextended('tunnel:traffic-roll-up', 0)) AS mine`,
          [],
          transaction,
        )
        if (!lock?.mine) return true
        const [row] = await sql<{ moved: number }>(statement, [age, batchSize], transaction)
        return (row?.moved ?? 0) < batchSize
      })
      if (done) break
    }
  }
}
