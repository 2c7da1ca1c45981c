import type { Sql } from '@sallyport/core'
import { inChunks } from '../in-chunks.js'

/** One message for one endpoint, as it waits in the database. */
export interface NewDelivery {
  readonly id: string
  readonly endpoint: string
  readonly event: string
  readonly body: string
}

export interface ClaimedDelivery extends NewDelivery {
  /** With this one. */
  readonly attempts: number
}

/** Deliveries in the database. Whoever claims one has it for a while; each statement is whole. */
export interface DeliveryStore {
  insert(deliveries: readonly NewDelivery[]): Promise<void>
  /** Takes up to `limit` that are due, for `leaseSeconds`: after that anyone may, should we be gone. */
  claim(endpoint: string, limit: number, leaseSeconds: number): Promise<ClaimedDelivery[]>
  /** It arrived, or is given up. */
  remove(id: string): Promise<void>
  /** Tries again later, unless somebody else has claimed it since. */
  postpone(delivery: ClaimedDelivery, delaySeconds: number): Promise<void>
  /** Removes the oldest beyond `max`. Gives how many. */
  trim(endpoint: string, max: number): Promise<number>
  /** Removes what has waited for longer, such as for an endpoint that is configured nowhere any more. */
  removeOlder(days: number): Promise<void>
}

const insertBatch = 500

export function createDeliveryStore(sql: Sql): DeliveryStore {
  return {
    async insert(deliveries) {
      for (const batch of inChunks(deliveries, insertBatch)) {
        await sql(
          `INSERT INTO tunnel_webhook_deliveries (id, endpoint, event, body)
           SELECT id, endpoint, event, body
           FROM jsonb_to_recordset($1::jsonb) AS t (id uuid, endpoint text, event text, body text)
           ON CONFLICT (id) DO NOTHING`,
          [JSON.stringify(batch)],
        )
      }
    },
    async claim(endpoint, limit, leaseSeconds) {
      return sql<ClaimedDelivery>(
        `UPDATE tunnel_webhook_deliveries SET attempts = attempts + 1, due_at = now() + make_interval(secs => $3)
         WHERE id IN (
           SELECT id FROM tunnel_webhook_deliveries WHERE endpoint = $1 AND due_at <= now()
           ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING id, endpoint, event, body, attempts`,
        [endpoint, limit, leaseSeconds],
      )
    },
    async remove(id) {
      await sql('DELETE FROM tunnel_webhook_deliveries WHERE id = $1::uuid', [id])
    },
    async postpone({ id, attempts }, delaySeconds) {
      await sql(
        `UPDATE tunnel_webhook_deliveries SET due_at = now() + make_interval(secs => $3)
         WHERE id = $1::uuid AND attempts = $2`,
        [id, attempts, delaySeconds],
      )
    },
    async trim(endpoint, max) {
      // One instance at a time: two would wait for each other's rows.
      const gone = await sql<{ id: string }>(
        `DELETE FROM tunnel_webhook_deliveries
         WHERE (SELECT pg_try_advisory_xact_lock(hashtextextended('tunnel:webhook-trim:' || $1::text, 0)))
           AND id IN (
             SELECT id FROM tunnel_webhook_deliveries WHERE endpoint = $1 ORDER BY created_at DESC, id OFFSET $2)
         RETURNING id`,
        [endpoint, max],
      )
      return gone.length
    },
    async removeOlder(days) {
      await sql('DELETE FROM tunnel_webhook_deliveries WHERE created_at < now() - make_interval(days => $1)', [days])
    },
  }
}
