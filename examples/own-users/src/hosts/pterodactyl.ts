import { type MappedDirectory, mappedDirectory } from '@sallyport/auth'
import type { HostOptions, Query } from '../query.js'

interface Row {
  readonly id: number
  readonly email: string
  readonly username: string
  readonly password: string
  readonly root_admin: number
}

const select = 'SELECT id, email, username, password, root_admin FROM users'
const update = 'UPDATE users SET password = $3 WHERE id = $1 AND password = $2 RETURNING id'

/** Pterodactyl 1.x: Laravel's bcrypt. It suspends servers, not users. */
export function pterodactyl(query: Query, { upgrade }: HostOptions): MappedDirectory {
  return mappedDirectory<Row>({
    ids: 'integer',
    findById: (id) => query(`${select} WHERE id = $1`, [id]),
    findByEmail: (email) => query(`${select} WHERE lower(email) = $1`, [email]),
    toUser: ({ id, email, username, root_admin }) => ({
      id,
      email,
      name: username,
      permissions: root_admin ? ['*'] : [],
    }),
    passwordHash: ({ password }) => password,
    sampleHashes: ['$2y$10$ABp2nY0uyk7bdFQwC0MjUOuArFzBRlZcAm8.Qe7hmdkq2Zr1N6ifq'],
    ...(upgrade && {
      replacePasswordHash: async ({ id, password }: Row, hash: string) =>
        (await query(update, [id, password, hash])).length > 0,
    }),
  })
}
