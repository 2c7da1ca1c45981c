import { pool } from './database.js'

export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly password: string
  readonly banned: boolean
  /** What the panel lets the user do, such as `write any console`; `all` is everything. */
  readonly may: readonly string[]
}

async function findOne(condition: string, value: string): Promise<User | undefined> {
  const { rows } = await pool.query<User>(
    `SELECT id, email, display_name AS name, password, banned_at IS NOT NULL AS banned,
       ARRAY(SELECT permission FROM user_permissions WHERE user_id = id) AS may
     FROM users WHERE ${condition}`,
    [value],
  )
  return rows[0]
}

export const users: {
  findById(id: string): Promise<User | undefined>
  findByEmail(email: string): Promise<User | undefined>
  ownsConsole(id: string, name: string): Promise<boolean>
} = {
  findById: (id) => findOne('id = $1', id),
  findByEmail: (email) => findOne('lower(email) = lower($1)', email),
  async ownsConsole(id, name) {
    const { rowCount } = await pool.query('SELECT 1 FROM consoles WHERE user_id = $1 AND name = $2', [id, name])
    return rowCount === 1
  },
}

export function mayWriteAny({ may }: User): boolean {
  return may.includes('all') || may.includes('write any console')
}
