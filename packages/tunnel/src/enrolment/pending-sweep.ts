import type { Sql } from '@sallyport/core'

/** Rows removed by one sweep; what is left waits for the next. */
const maxSwept = 1_000
/** Dead enrolments are kept this long, so that their device is told 410 and not 404. */
const keptSeconds = 3_600

/** Removes enrolments that expired or were denied a while ago. Gives how many. */
export async function sweepPending(sql: Sql): Promise<number> {
  const rows = await sql<{ id: string }>(
    `DELETE FROM tunnel_devices WHERE id IN (
       SELECT id FROM tunnel_devices
       WHERE approved_at IS NULL AND expires_at < now() - make_interval(secs => $1)
       ORDER BY expires_at LIMIT $2)
     AND approved_at IS NULL
     RETURNING id`,
    [keptSeconds, maxSwept],
  )
  return rows.length
}
