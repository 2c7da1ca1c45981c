import { coreErrors, type Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { authErrors } from '../../errors.js'
import { isUuid } from '../../uuid.js'
import type { OrganisationRow, Role } from './organisation-view.js'

// Locks are taken in one order, so that no two transactions wait for each other: organisations by id, then users.

/** Members by their ids. */
export type Roles = ReadonlyMap<string, Role>

/**
 * Locks an organisation: whoever changes it or its members waits for the transaction's end.
 * @throws `CORE_ERR_NOT_FOUND`
 */
export async function lockOrganisation(
  sql: Sql,
  id: string,
  transaction: Transaction,
): Promise<{ readonly organisation: OrganisationRow; readonly roles: Roles }> {
  const [organisation] = isUuid(id)
    ? await sql<OrganisationRow>(
        'SELECT *, NULL AS role FROM auth_organisations WHERE id = $1 FOR UPDATE',
        [id],
        transaction,
      )
    : []
  if (!organisation) throw coreErrors.NOT_FOUND()
  const members = await sql<{ user_id: string; role: Role }>(
    'SELECT user_id, role FROM auth_memberships WHERE organisation_id = $1',
    [id],
    transaction,
  )
  return { organisation, roles: new Map(members.map(({ user_id, role }) => [user_id, role])) }
}

/**
 * Locks a user against a deletion and against other memberships that begin.
 * @returns how many organisations they belong to and own
 * @throws `CORE_ERR_NOT_FOUND`
 */
export async function lockMember(
  sql: Sql,
  userId: string,
  transaction: Transaction,
): Promise<{ readonly owned: number; readonly joined: number }> {
  const [user] = isUuid(userId)
    ? await sql('SELECT id FROM auth_users WHERE id = $1 FOR NO KEY UPDATE', [userId], transaction)
    : []
  if (!user) throw coreErrors.NOT_FOUND()
  const [counted] = await sql<{ owned: number; joined: number }>(
    `SELECT count(*)::integer AS joined, (count(*) FILTER (WHERE role = 'owner'))::integer AS owned
     FROM auth_memberships WHERE user_id = $1`,
    [userId],
    transaction,
  )
  return counted ?? { owned: 0, joined: 0 }
}

/** The last owner stays one. @throws `AUTH_ERR_LAST_OWNER` */
export function assertOtherOwner(roles: Roles, userId: string): void {
  for (const [id, role] of roles) if (role === 'owner' && id !== userId) return
  throw authErrors.LAST_OWNER()
}
