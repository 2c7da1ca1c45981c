import { type MappedDirectory, mappedDirectory } from '@sallyport/auth'
import type { HostOptions, Query } from '../query.js'

interface Row {
  readonly id: number
  readonly email: string
  readonly username: string
  readonly password: string
  readonly is_active: boolean
  readonly is_superuser: boolean
}

const select = 'SELECT id, email, username, password, is_active, is_superuser FROM auth_user'
const update = 'UPDATE auth_user SET password = $3 WHERE id = $1 AND password = $2 RETURNING id'

/** Django's own users. Their e-mail addresses need not be unique: one that two share signs nobody in. */
export function django(query: Query, { upgrade }: HostOptions): MappedDirectory {
  return mappedDirectory<Row>({
    ids: 'integer',
    findById: (id) => query(`${select} WHERE id = $1`, [id]),
    findByEmail: (email) => query(`${select} WHERE lower(email) = $1`, [email]),
    toUser: ({ id, email, username: name, is_active, is_superuser }) => {
      return { id, email, name, suspended: !is_active, permissions: is_superuser ? ['*'] : [] }
    },
    passwordHash: ({ password }) => password,
    sampleHashes: ['pbkdf2_sha256$1000000$salt$QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY='],
    // As Django's Argon2PasswordHasher writes it, so that Django knows it too.
    ...(upgrade && {
      replacePasswordHash: async ({ id, password }: Row, hash: string) =>
        (await query(update, [id, password, `argon2${hash}`])).length > 0,
    }),
  })
}
