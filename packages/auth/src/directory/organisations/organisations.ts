import { randomUUID } from 'node:crypto'
import { coreErrors, type Database, type Principal, permits, type Sql } from '@sallyport/core'
import { authErrors } from '../../errors.js'
import { isUuid } from '../../uuid.js'
import { mergeQuotas, type QuotaChange } from '../quotas.js'
import { lockMember, lockOrganisation } from './memberships.js'
import {
  type MemberView,
  type OrganisationRow,
  type OrganisationView,
  toOrganisationView,
} from './organisation-view.js'
import { assertRight, rightsOf, roleHolder } from './rights.js'

/** Organisations that one user owns at most. */
export const maxOwnedOrganisations = 20

export interface OrganisationChange {
  readonly name?: string
  readonly quotas?: QuotaChange
}

/** What people do with organisations. `by` is who does it; what they may not know of is `CORE_ERR_NOT_FOUND`. */
export interface Organisations {
  /** Those of `by`; for holders of `organisations:read` all, oldest first. */
  list(
    by: Principal,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<{ organisations: OrganisationView[]; total: number }>
  get(by: Principal, id: string): Promise<{ organisation: OrganisationView; members: MemberView[] }>
  /** @throws `AUTH_ERR_ORGANISATION_LIMIT` */
  create(by: Principal, organisation: { readonly name: string }): Promise<OrganisationView>
  /** The name for its admins and owners; quotas for holders of `organisations:write` alone. */
  update(by: Principal, id: string, change: OrganisationChange): Promise<OrganisationView>
  remove(by: Principal, id: string): Promise<void>
}

interface OrganisationsOptions {
  readonly database: Database
  readonly sql: Sql
  /** Told of users whose memberships are other than they were. */
  readonly onMembershipsChanged: (userIds: Iterable<string>) => Promise<void>
  /** Told of an organisation that is gone. */
  readonly onDeleted: (organisationId: string) => Promise<void>
}

export function createOrganisations(options: OrganisationsOptions): Organisations {
  const { database, sql, onMembershipsChanged, onDeleted } = options
  return {
    async list(by, { limit, offset }) {
      assertMayList(by)
      const all = permits(by.permissions, 'organisations:read')
      const from = `FROM auth_organisations o LEFT JOIN auth_memberships m
        ON m.organisation_id = o.id AND m.user_id = $1::uuid WHERE $2::boolean OR m.user_id IS NOT NULL`
      const who = [roleHolder(by) ?? null, all]
      const rows = await sql<OrganisationRow>(
        `SELECT o.*, m.role ${from} ORDER BY o.created_at, o.id LIMIT $3 OFFSET $4`,
        [...who, limit, offset],
      )
      const [counted] = await sql<{ total: number }>(`SELECT count(*)::integer AS total ${from}`, who)
      return { organisations: rows.map(toOrganisationView), total: counted?.total ?? 0 }
    },
    async get(by, id) {
      const [row] = isUuid(id)
        ? await sql<OrganisationRow>(
            `SELECT o.*, m.role FROM auth_organisations o
             LEFT JOIN auth_memberships m ON m.organisation_id = o.id AND m.user_id = $2::uuid WHERE o.id = $1`,
            [id, roleHolder(by) ?? null],
          )
        : []
      if (!row || !rightsOf(by, row.role ?? undefined).sees) throw coreErrors.NOT_FOUND()
      const members = await sql<MemberView>(
        `SELECT u.id AS "userId", u.email, u.name, m.role FROM auth_memberships m JOIN auth_users u ON u.id = m.user_id
         WHERE m.organisation_id = $1 ORDER BY u.created_at, u.id`,
        [id],
      )
      return { organisation: toOrganisationView(row), members }
    },
    async create(by, { name }) {
      const ownerId = by.userId
      if (ownerId === undefined || (by.kind !== 'user' && !permits(by.permissions, 'organisations:write'))) {
        throw coreErrors.FORBIDDEN()
      }
      const row = await database.transaction(async (transaction) => {
        // One at a time for each user, so that the limit holds.
        const { owned } = await lockMember(sql, ownerId, transaction)
        if (owned >= maxOwnedOrganisations) throw authErrors.ORGANISATION_LIMIT({ limit: maxOwnedOrganisations })
        const [made] = await sql<OrganisationRow>(
          'INSERT INTO auth_organisations (id, name) VALUES ($1, $2) RETURNING *',
          [randomUUID(), name],
          transaction,
        )
        await sql(
          `INSERT INTO auth_memberships (organisation_id, user_id, role) VALUES ($1, $2, 'owner') RETURNING role`,
          [made?.id, ownerId],
          transaction,
        )
        return made as OrganisationRow
      })
      await onMembershipsChanged([ownerId])
      return toOrganisationView({ ...row, role: by.kind === 'user' ? 'owner' : null })
    },
    async update(by, id, { name, quotas }) {
      return database.transaction(async (transaction) => {
        const { organisation, roles } = await lockOrganisation(sql, id, transaction)
        const role = roles.get(roleHolder(by) ?? '')
        assertRight(rightsOf(by, role), 'manages')
        if (quotas !== undefined && !permits(by.permissions, 'organisations:write')) {
          throw coreErrors.PERMISSION_REQUIRED({ permission: 'organisations:write' })
        }
        const merged = quotas === undefined ? organisation.quotas : mergeQuotas(organisation.quotas, quotas)
        const [row] = await sql<OrganisationRow>(
          `UPDATE auth_organisations SET name = $2, quotas = $3::jsonb, updated_at = clock_timestamp()
           WHERE id = $1 RETURNING *`,
          [id, name ?? organisation.name, merged && JSON.stringify(merged)],
          transaction,
        )
        return toOrganisationView({ ...(row as OrganisationRow), role: role ?? null })
      })
    },
    async remove(by, id) {
      const members = await database.transaction(async (transaction) => {
        const { roles } = await lockOrganisation(sql, id, transaction)
        assertRight(rightsOf(by, roles.get(roleHolder(by) ?? '')), 'owns')
        await sql('DELETE FROM auth_organisations WHERE id = $1 RETURNING id', [id], transaction)
        return roles.keys()
      })
      await onMembershipsChanged(members)
      // As it is spelt in the database.
      await onDeleted(id.toLowerCase())
    },
  }
}

/** A key sees no list of its owner's. */
function assertMayList(by: Principal): void {
  if (by.kind !== 'user' && !rightsOf(by, undefined).sees) {
    throw coreErrors.PERMISSION_REQUIRED({ permission: 'organisations:read' })
  }
}
