import { pool } from './database.js'

export interface Account {
  readonly id: number
  readonly email: string
  readonly name: string
  readonly password_hash: string
  readonly role: 'admin' | 'support' | 'customer'
  readonly locked: boolean
  /** What the panel lets the role do, such as `servers.any.view`. */
  readonly permissions: readonly string[]
}

const select = `SELECT a.id, a.email, a.name, a.password_hash, a.role, a.locked, r.permissions
  FROM accounts a JOIN roles r ON r.name = a.role`

async function findOne(condition: string, value: unknown): Promise<Account | undefined> {
  const { rows } = await pool.query<Account>(`${select} WHERE ${condition}`, [value])
  return rows[0]
}

export const accounts: {
  findById(id: number | string): Promise<Account | undefined>
  findByEmail(email: string): Promise<Account | undefined>
} = {
  findById: (id) => findOne('a.id = $1', id),
  findByEmail: (email) => findOne('lower(a.email) = $1', email.toLowerCase()),
}
