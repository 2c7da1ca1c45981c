import { coreErrors, type Database, type Principal, type Sql } from '@sallyport/core'
import { authErrors } from '../../errors.js'
import { assertOtherOwner, lockMember, lockOrganisation } from './memberships.js'
import type { MemberView, Role } from './organisation-view.js'
import { maxOwnedOrganisations } from './organisations.js'
import { assertMayGive, assertRight, rightsOf, roleHolder } from './rights.js'

/** Of one organisation, and organisations of one user. */
export const maxMembers = 1_000
export const maxMemberships = 200

/** Who belongs to an organisation. Of changes to one organisation at the same moment, one follows the other. */
export interface Members {
  /**
   * Adds a member or changes their role.
   * @throws `CORE_ERR_NOT_FOUND`, `CORE_ERR_FORBIDDEN`, `AUTH_ERR_ROLE_EXCEEDED`, `AUTH_ERR_LAST_OWNER`,
   * `AUTH_ERR_ORGANISATION_LIMIT`, `AUTH_ERR_MEMBER_LIMIT`
   */
  put(
    by: Principal,
    id: string,
    userId: string,
    role: Role,
  ): Promise<{ readonly member: MemberView; readonly previous: Role | null }>
  /** Anybody may leave. @throws the same */
  remove(by: Principal, id: string, userId: string): Promise<Role>
}

interface MembersOptions {
  readonly database: Database
  readonly sql: Sql
  readonly onMembershipsChanged: (userIds: Iterable<string>) => Promise<void>
}

// Ids are compared in the one spelling that the database gives, whatever the request's.
export function createMembers({ database, sql, onMembershipsChanged }: MembersOptions): Members {
  return {
    async put(by, id, givenId, role) {
      const userId = givenId.toLowerCase()
      const changed = await database.transaction(async (transaction) => {
        const { roles } = await lockOrganisation(sql, id, transaction)
        const rights = rightsOf(by, roles.get(roleHolder(by) ?? ''))
        assertRight(rights, 'manages')
        const { owned, joined } = await lockMember(sql, userId, transaction)
        const previous = roles.get(userId)
        assertMayGive(rights, role, previous)
        if (previous === 'owner' && role !== 'owner') assertOtherOwner(roles, userId)
        if (previous === undefined && roles.size >= maxMembers) throw authErrors.MEMBER_LIMIT({ limit: maxMembers })
        if (previous === undefined && joined >= maxMemberships)
          throw authErrors.ORGANISATION_LIMIT({ limit: maxMemberships })
        if (role === 'owner' && previous !== 'owner' && owned >= maxOwnedOrganisations) {
          throw authErrors.ORGANISATION_LIMIT({ limit: maxOwnedOrganisations })
        }
        const [member] = await sql<MemberView>(
          `WITH put AS (
             INSERT INTO auth_memberships (organisation_id, user_id, role) VALUES ($1, $2, $3)
             ON CONFLICT (organisation_id, user_id) DO UPDATE SET role = excluded.role RETURNING user_id, role)
           SELECT u.id AS "userId", u.email, u.name, put.role FROM put JOIN auth_users u ON u.id = put.user_id`,
          [id, userId, role],
          transaction,
        )
        return { member: member as MemberView, previous: previous ?? null }
      })
      if (changed.previous !== role) await onMembershipsChanged([userId])
      return changed
    },
    async remove(by, id, givenId) {
      const userId = givenId.toLowerCase()
      const role = await database.transaction(async (transaction) => {
        const { roles } = await lockOrganisation(sql, id, transaction)
        const self = roleHolder(by)
        const rights = rightsOf(by, roles.get(self ?? ''))
        if (userId !== self) assertRight(rights, 'manages')
        const previous = roles.get(userId)
        if (previous === undefined) throw coreErrors.NOT_FOUND()
        if (userId !== self) assertMayGive(rights, previous)
        if (previous === 'owner') assertOtherOwner(roles, userId)
        await sql(
          'DELETE FROM auth_memberships WHERE organisation_id = $1 AND user_id = $2 RETURNING role',
          [id, userId],
          transaction,
        )
        return previous
      })
      await onMembershipsChanged([userId])
      return role
    },
  }
}
