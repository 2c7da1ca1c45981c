import { type MappedDirectory, type MappedUser, mappedDirectory } from '@sallyport/auth'
import type { HostOptions, Query } from '../query.js'

type Row = MappedUser & { readonly hash: string; readonly capabilities: string | null }

const select = `SELECT u."ID" AS id, u.user_email AS email, u.display_name AS name, u.user_pass AS hash,
  u.spam = 1 OR u.deleted = 1 AS suspended, m.meta_value AS capabilities
  FROM wp_users u LEFT JOIN wp_usermeta m ON m.user_id = u."ID" AND m.meta_key = 'wp_capabilities'`
const update = 'UPDATE wp_users SET user_pass = $3 WHERE "ID" = $1 AND user_pass = $2 RETURNING "ID"'

/** WordPress: phpass, since 6.8 bcrypt of its own kind. Capabilities are what PHP serialises. */
export function wordpress(query: Query, { upgrade }: HostOptions): MappedDirectory {
  return mappedDirectory<Row>({
    ids: 'bigint',
    findById: (id) => query(`${select} WHERE u."ID" = $1`, [id]),
    findByEmail: (email) => query(`${select} WHERE lower(u.user_email) = $1`, [email]),
    toUser: (row) => ({ ...row, permissions: row.capabilities?.includes('s:13:"administrator";b:1;') ? ['*'] : [] }),
    passwordHash: ({ hash }) => hash,
    sampleHashes: [
      '$P$B0123456789ABCDEFGHIJKLMNOPQRST',
      '$wp$2y$10$ABp2nY0uyk7bdFQwC0MjUOuArFzBRlZcAm8.Qe7hmdkq2Zr1N6ifq',
    ],
    ...(upgrade && {
      replacePasswordHash: async ({ id, hash }: Row, newHash: string) =>
        (await query(update, [id, hash, newHash])).length > 0,
    }),
  })
}
