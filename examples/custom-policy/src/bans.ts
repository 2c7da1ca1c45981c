import type { Sql } from '@sallyport/core'

/** Addresses that may not play. */
export interface Ban {
  readonly id: number
  /** An address, or a range such as `203.0.113.0/24`. */
  readonly range: string
  readonly reason: string
}

export interface Bans {
  /** The ban that an address falls under, if any. */
  of(address: string): Promise<Ban | undefined>
  list(): Promise<Ban[]>
  add(range: string, reason: string): Promise<Ban>
  /** Whether there was one. */
  remove(id: number): Promise<boolean>
}

const columns = 'id, range::text AS range, reason'

export function createBans(sql: Sql): Bans {
  return {
    async of(address) {
      const [ban] = await sql<Ban>(`SELECT ${columns} FROM policy_bans WHERE $1::inet <<= range ORDER BY id LIMIT 1`, [
        address,
      ])
      return ban
    },
    list: () => sql<Ban>(`SELECT ${columns} FROM policy_bans ORDER BY id`),
    async add(range, reason) {
      const [ban] = await sql<Ban>(
        `INSERT INTO policy_bans (range, reason) VALUES (network($1::inet), $2)
         ON CONFLICT (range) DO UPDATE SET reason = EXCLUDED.reason RETURNING ${columns}`,
        [range, reason],
      )
      return ban as Ban
    },
    async remove(id) {
      return (await sql('DELETE FROM policy_bans WHERE id = $1 RETURNING id', [id])).length > 0
    },
  }
}
