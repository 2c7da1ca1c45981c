import type { Sql } from '@sallyport/core'
import { isAlive } from '../gateway/instance-lease.js'
import { isGoneForGood } from './relay-row.js'

/** Forgets relays without allocations: those whose device was deleted, and those that are gone for a day. */
export async function sweepRelays(sql: Sql): Promise<void> {
  await sql(
    `DELETE FROM tunnel_relays WHERE id IN (
       SELECT r.id FROM tunnel_relays r
       WHERE (${isGoneForGood} OR r.last_seen_at < now() - interval '1 day') AND NOT ${isAlive('r.instance_id')}
         AND NOT EXISTS (SELECT FROM tunnel_allocations a WHERE a.relay_id = r.id)
       FOR UPDATE OF r SKIP LOCKED)`,
  )
}
