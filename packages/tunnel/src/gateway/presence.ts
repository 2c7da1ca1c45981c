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

export function createPresence(sql: Sql, instanceId: string): Presence {
  return {
    async connected(session, hello) {
      const [row] = await sql<{ name: string }>(
        `UPDATE tunnel_devices SET
           session_number = session_number + 1, session_id = $3::uuid, instance_id = $4::uuid,
           last_seen_at = now(), version = $5, platform = $6
         WHERE id = $1::uuid AND token_id = $2::uuid AND approved_at IS NOT NULL RETURNING name`,
        [session.deviceId, session.tokenId, session.id, instanceId, hello.version, hello.platform],
      )
      return row?.name
    },
    async disconnected(session) {
      await sql(
        `UPDATE tunnel_devices SET instance_id = NULL, last_seen_at = now()
         WHERE id = $1::uuid AND session_id = $2::uuid`,
        [session.deviceId, session.id],
      )
    },
    async refresh(sessions) {
      const rows = await sql<{ id: string; token_id: string | null }>(
        'SELECT id, token_id FROM tunnel_devices WHERE instance_id = $1::uuid',
        [instanceId],
      )
      const valid = new Map(rows.map((row) => [row.id, row.token_id]))
      return sessions.filter(({ deviceId, tokenId }) => valid.get(deviceId) !== tokenId)
    },
    async clear(all = false) {
      await sql(
        `UPDATE tunnel_devices SET instance_id = NULL, last_seen_at = now()
         WHERE instance_id IS NOT NULL AND ($2::boolean OR instance_id = $1::uuid)`,
        [instanceId, all],
      )
    },
  }
}
