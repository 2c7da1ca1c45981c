import type { Sql } from '@sallyport/core'
import { isAlive } from '../gateway/instance-lease.js'

/** A device or relay that came or went, as nobody has told it yet. */
export interface PresenceChange {
  readonly id: string
  readonly online: boolean
}

/** Rows of one look; the rest waits for the next. */
const maxChanges = 1_000

/**
 * Finds who came or went since it was last told, and marks it as told, so that of all instances one tells it, once. Who was away for
 * less than `awaySeconds` never went.
 */
export async function takePresenceChanges(
  sql: Sql,
  table: 'tunnel_devices' | 'tunnel_relays',
  awaySeconds: number,
): Promise<PresenceChange[]> {
  const known = table === 'tunnel_devices' ? 'p.approved_at IS NOT NULL' : 'true'
  const online = `(p.instance_id IS NOT NULL AND ${isAlive('p.instance_id')})`
  return sql<PresenceChange>(
    `WITH changed AS (
       SELECT p.id, ${online} AS online FROM ${table} p
       WHERE ${known} AND p.told_online IS DISTINCT FROM ${online}
         AND (${online} OR p.last_seen_at IS NULL OR p.last_seen_at < now() - make_interval(secs => $1))
       ORDER BY p.id LIMIT $2
       FOR NO KEY UPDATE OF p SKIP LOCKED)
     UPDATE ${table} p SET told_online = changed.online FROM changed WHERE p.id = changed.id
     RETURNING p.id, changed.online`,
    [awaySeconds, maxChanges],
  )
}
