import { pool } from './database.js'

export interface GameServer {
  readonly id: number
  readonly account_id: number
  readonly name: string
  readonly game: string
  readonly port: number
  readonly restarts: number
}

async function query(text: string, values: readonly unknown[]): Promise<GameServer[]> {
  return (await pool.query<GameServer>(text, [...values])).rows
}

export const servers: {
  all(): Promise<readonly GameServer[]>
  ofAccount(accountId: number): Promise<readonly GameServer[]>
  find(id: number): Promise<GameServer | undefined>
  restart(id: number): Promise<GameServer | undefined>
  /** Whether one of the owner's servers has the port. */
  has(place: { readonly ownerId: string | null; readonly localPort: number }): Promise<boolean>
} = {
  all: () => query('SELECT * FROM servers ORDER BY id', []),
  ofAccount: (accountId) => query('SELECT * FROM servers WHERE account_id = $1 ORDER BY id', [accountId]),
  find: async (id) => (await query('SELECT * FROM servers WHERE id = $1', [id]))[0],
  restart: async (id) => (await query('UPDATE servers SET restarts = restarts + 1 WHERE id = $1 RETURNING *', [id]))[0],
  has: async ({ ownerId, localPort }) =>
    (await query('SELECT * FROM servers WHERE account_id = $1 AND port = $2', [ownerId, localPort])).length > 0,
}
