import type { Sql } from '@sallyport/core'

/** This process's row in `tunnel_instances`: what names it is in force while the lease is. */
export interface InstanceLease {
  /** Takes the lease, or takes it for longer; forgets instances that are long gone. */
  renew(): Promise<void>
  /** Gives it back. */
  end(): Promise<void>
}

/** The lease outlives a missed renewal, and ends soon enough that a dead instance is noticed within ten seconds. */
const validIntervals = 3

export function createInstanceLease(sql: Sql, instanceId: string, intervalMs: number): InstanceLease {
  const validSeconds = (validIntervals * intervalMs) / 1_000
  return {
    async renew() {
      await sql(
        `WITH gone AS (DELETE FROM tunnel_instances WHERE alive_until < now() - interval '1 hour')
         INSERT INTO tunnel_instances (id, alive_until) VALUES ($1::uuid, now() + make_interval(secs => $2))
         ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`,
        [instanceId, validSeconds],
      )
    },
    async end() {
      await sql('DELETE FROM tunnel_instances WHERE id = $1::uuid', [instanceId])
    },
  }
}

/** Condition: the instance that the column names lives. */
export function isAlive(column: string): string {
  return `EXISTS (SELECT FROM tunnel_instances alive WHERE alive.id = ${column} AND alive.alive_until > now())`
}
