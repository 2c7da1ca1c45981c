import { type MappedDirectory, type MappedUser, mappedDirectory } from '@sallyport/auth'
import type { HostOptions, Query } from '../query.js'

type Row = MappedUser & { readonly role: string | null; readonly hash: string }

const select = `SELECT u.id, u.email, u."displayName" AS name, u.role, u."passwordHash" AS hash,
  u.suspended OR u."deletedAt" IS NOT NULL AS suspended,
  (SELECT coalesce(json_agg(json_build_object('organisationId', m."organisationId"::text, 'role', m.role)), '[]')
   FROM organisation_member m WHERE m."userId" = u.id) AS memberships FROM "user" u`
const update = 'UPDATE "user" SET "passwordHash" = $3 WHERE id = $1 AND "passwordHash" = $2 RETURNING id'

/** EcliPanel: Bun's argon2id, and bcrypt from before. Its argon2id is stronger than today's here, and stays. */
export function eclipanel(query: Query, { upgrade }: HostOptions): MappedDirectory {
  return mappedDirectory<Row>({
    ids: 'integer',
    findById: (id) => query(`${select} WHERE u.id = $1`, [id]),
    findByEmail: (email) => query(`${select} WHERE lower(u.email) = $1`, [email]),
    toUser: (row) => ({ ...row, permissions: row.role === '*' || row.role === 'rootAdmin' ? ['*'] : [] }),
    passwordHash: ({ hash }) => hash,
    sampleHashes: [
      '$argon2id$v=19$m=65536,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY',
      '$2b$10$ABp2nY0uyk7bdFQwC0MjUOuArFzBRlZcAm8.Qe7hmdkq2Zr1N6ifq',
    ],
    ...(upgrade && {
      replacePasswordHash: async ({ id, hash }: Row, newHash: string) =>
        (await query(update, [id, hash, newHash])).length > 0,
    }),
  })
}
