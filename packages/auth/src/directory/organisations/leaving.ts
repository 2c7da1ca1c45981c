import type { Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { authErrors } from '../../errors.js'
import { isUuid } from '../../uuid.js'
import type { Role } from './organisation-view.js'

/** The organisations of a user who is about to be deleted, locked. */
export interface Leaving {
  /**
   * To be called once the user is locked: deletes the organisations that have no other member, and says which.
   * `undefined`, and nothing is done, when the user has joined another meanwhile: to be tried again from the beginning.
   * @throws `AUTH_ERR_LAST_OWNER` when other members would be left without an owner
   */
  leave(): Promise<readonly string[] | undefined>
}

interface Place {
  readonly id: string
  readonly role: Role
  readonly others: number
  readonly other_owners: number
}

/** Locks the organisations of a user, before any user is locked: see `lockOrganisation`. */
export async function lockOrganisationsOf(sql: Sql, userId: string, transaction: Transaction): Promise<Leaving> {
  const locked = isUuid(userId)
    ? await sql<{ id: string }>(
        `SELECT o.id FROM auth_organisations o JOIN auth_memberships m ON m.organisation_id = o.id
         WHERE m.user_id = $1 ORDER BY o.id FOR UPDATE OF o`,
        [userId],
        transaction,
      )
    : []
  return {
    async leave() {
      const places = await sql<Place>(
        `SELECT m.organisation_id AS id, m.role, count(o.user_id)::integer AS others,
           (count(*) FILTER (WHERE o.role = 'owner'))::integer AS other_owners
         FROM auth_memberships m
         LEFT JOIN auth_memberships o ON o.organisation_id = m.organisation_id AND o.user_id <> m.user_id
         WHERE m.user_id = $1 GROUP BY m.organisation_id, m.role`,
        [userId],
        transaction,
      )
      // What was counted in one that is not locked is not certain.
      if (places.some(({ id }) => !locked.some((entry) => entry.id === id))) return undefined
      if (places.some(({ role, others, other_owners }) => role === 'owner' && others > 0 && other_owners === 0)) {
        throw authErrors.LAST_OWNER()
      }
      const deserted = places.filter(({ others }) => others === 0).map(({ id }) => id)
      if (deserted.length > 0) {
        await sql('DELETE FROM auth_organisations WHERE id = ANY($1::uuid[]) RETURNING id', [deserted], transaction)
      }
      return deserted
    },
  }
}
