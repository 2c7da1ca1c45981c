import { discourseHash, type MappedDirectory, type MappedUser, mappedDirectory } from '@sallyport/auth'
import type { Query } from '../query.js'

type Row = MappedUser & Readonly<Record<'hash' | 'salt' | 'algorithm', string | null>> & { readonly admin: boolean }

const select = `SELECT u.id, e.email, u.name, u.admin, NOT u.active OR u.staged OR u.suspended_till > now() AS suspended,
  p.password_hash AS hash, p.password_salt AS salt, p.password_algorithm AS algorithm
  FROM users u JOIN user_emails e ON e.user_id = u.id AND e.primary
  LEFT JOIN user_passwords p ON p.user_id = u.id AND p.password_expired_at IS NULL`

/** Discourse: PBKDF2 in three columns, too short for argon2id: nothing is written. */
export function discourse(query: Query): MappedDirectory {
  return mappedDirectory<Row>({
    ids: 'integer',
    findById: (id) => query(`${select} WHERE u.id = $1`, [id]),
    findByEmail: (email) => query(`${select} WHERE lower(e.email) = $1`, [email]),
    toUser: (row) => ({ ...row, suspended: row.suspended ?? false, permissions: row.admin ? ['*'] : [] }),
    passwordHash: ({ hash, salt, algorithm }) => hash && salt && algorithm && discourseHash(hash, salt, algorithm),
    sampleHashes: ['$pbkdf2-sha256$i=600000,l=32$', '$pbkdf2-sha256$i=64000,l=32$'].map((algorithm) =>
      discourseHash('0123456789abcdef'.repeat(4), 'salt', algorithm),
    ),
  })
}
