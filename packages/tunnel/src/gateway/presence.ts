import type { Sql } from '@sallyport/core'
import type { HelloMessage } from '@sallyport/relay'
import type { AgentSession } from './agent-session.js'

/** Writes down which devices are connected here, and learns on the way whose token has died. */
export interface Presence {
  /** Gives the device's name, or `undefined` when the session's token is no longer in force. */
  connected(session: AgentSession, hello: HelloMessage): Promise<string | undefined>
  disconnected(session: AgentSession): Promise<void>
  /** Gives the sessions whose token is no longer in force. */
  refresh(sessions: readonly AgentSession[]): Promise<AgentSession[]>
  /** Nobody is connected to this instance; with `all`, to none. */
  clear(all?: boolean): Promise<void>
}

const batchSize = 1_000
/** Presence outlives the instance that wrote it by this many refreshes. */
const validIntervals = 3

export function createPresence(sql: Sql, instanceId: string, intervalMs: number): Presence {
  const validSeconds = (validIntervals * intervalMs) / 1_000

  const refreshBatch = async (batch: readonly AgentSession[]): Promise<AgentSession[]> => {
    const rows = await sql<{ id: string; token_id: string }>(
      `UPDATE tunnel_devices d SET online_until = now() + make_interval(secs => $2), last_seen_at = now()
       FROM jsonb_to_recordset($1::jsonb) AS s (id uuid, token uuid)
       WHERE d.id = s.id AND d.token_id = s.token RETURNING d.id, d.token_id`,
      [JSON.stringify(batch.map(({ deviceId, tokenId }) => ({ id: deviceId, token: tokenId }))), validSeconds],
    )
    const valid = new Map(rows.map((row) => [row.id, row.token_id]))
    return batch.filter(({ deviceId, tokenId }) => valid.get(deviceId) !== tokenId)
  }

  return {
    async connected(session, hello) {
      const [row] = await sql<{ name: string }>(
        `UPDATE tunnel_devices SET
           session_id = $3::uuid, instance_id = $4::uuid, online_until = now() + make_interval(secs => $5),
           last_seen_at = now(), version = $6, platform = $7
         WHERE id = $1::uuid AND token_id = $2::uuid AND approved_at IS NOT NULL RETURNING name`,
        [session.deviceId, session.tokenId, session.id, instanceId, validSeconds, hello.version, hello.platform],
      )
      return row?.name
    },
    async disconnected(session) {
      await sql(
        `UPDATE tunnel_devices SET online_until = NULL, last_seen_at = now()
         WHERE id = $1::uuid AND session_id = $2::uuid`,
        [session.deviceId, session.id],
      )
    },
    async refresh(sessions) {
      const dead: AgentSession[] = []
      for (let at = 0; at < sessions.length; at += batchSize) {
        dead.push(...(await refreshBatch(sessions.slice(at, at + batchSize))))
      }
      return dead
    },
    async clear(all = false) {
      await sql(
        `UPDATE tunnel_devices SET online_until = NULL, last_seen_at = LEAST(online_until, now())
         WHERE online_until IS NOT NULL AND ($2::boolean OR instance_id = $1::uuid)`,
        [instanceId, all],
      )
    },
  }
}
