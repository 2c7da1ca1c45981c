import { randomUUID } from 'node:crypto'
import type { DirectoryOrganisation, DirectoryUser, Events, Membership, Sql, UserDirectory } from '@sallyport/core'
import { literal, type WhereOptions } from 'sequelize'
import { normaliseEmail } from '../email.js'
import { isUuid } from '../uuid.js'
import type { PasswordHasher } from './password-hasher.js'
import { organisationDeleted, userChanged } from './user-changed.js'
import type { UserRecord, UserRecords } from './user-record.js'

interface BuiltInDirectoryOptions {
  readonly sql: Sql
  readonly records: UserRecords
  readonly hasher: PasswordHasher
  readonly events: Events
}

/** A user and their place in organisations, read by one statement. */
interface Found {
  readonly record: UserRecord
  readonly memberships: readonly Membership[]
}

/** `"AuthUser"` is the model's name, by which Sequelize calls the table. */
const membershipsOfUser = literal(`(
  SELECT coalesce(json_agg(json_build_object('organisationId', m.organisation_id, 'role', m.role)
    ORDER BY m.organisation_id), '[]'::json)
  FROM auth_memberships m WHERE m.user_id = "AuthUser".id)`)

/** Users and organisations in Sallyport's own tables. */
export function createBuiltInDirectory({ sql, records, hasher, events }: BuiltInDirectoryOptions): UserDirectory {
  const find = async (where: WhereOptions<UserRecord>): Promise<Found | undefined> => {
    const record = await records.findOne({ where, attributes: { include: [[membershipsOfUser, 'memberships']] } })
    if (!record) return undefined
    return { record, memberships: record.get('memberships' as keyof UserRecord) as unknown as readonly Membership[] }
  }
  const findByEmail = (email: string): Promise<Found | undefined> => find({ emailNormalised: normaliseEmail(email) })

  return {
    async findById(id) {
      return isUuid(id) ? toDirectoryUser(await find({ id })) : undefined
    },
    async findByEmail(email) {
      return toDirectoryUser(await findByEmail(email))
    },
    async verifyPassword(email, password) {
      const found = await findByEmail(email)
      const { valid, outdated } = await hasher.verify(found?.record.passwordHash, password)
      if (!found || !valid) return undefined
      if (outdated && !found.record.suspended) await rehash(found.record, password)
      return toDirectoryUser(found)
    },
    async changePassword(id, newPassword) {
      if (!isUuid(id)) return undefined
      const passwordHash = await hasher.hash(newPassword)
      const change = { passwordHash, securityStamp: randomUUID() }
      const [, [record]] = await records.update(change, { where: { id }, returning: true })
      if (!record) return undefined
      // With the stamp that goes with this password, should another have been set meanwhile.
      const found = await find({ id })
      return found && toDirectoryUser({ record, memberships: found.memberships })
    },
    async findOrganisation(id) {
      if (!isUuid(id)) return undefined
      const [row] = await sql<{ id: string; name: string; quotas: DirectoryOrganisation['quotas'] | null }>(
        'SELECT id, name, quotas FROM auth_organisations WHERE id = $1',
        [id],
      )
      return row && { id: row.id, name: row.name, ...(row.quotas && { quotas: row.quotas }) }
    },
    onChange(handler) {
      return events.on(userChanged, handler)
    },
    onOrganisationDeleted(handler) {
      return events.on(organisationDeleted, ({ organisationId }) => handler(organisationId))
    },
  }

  async function rehash(record: UserRecord, password: string): Promise<void> {
    const passwordHash = await hasher.hash(password)
    // Only in the place of the hash that was verified: a new password set meanwhile stays.
    const where = { id: record.id, passwordHash: record.passwordHash }
    await records.update({ passwordHash }, { where, silent: true })
  }
}

function toDirectoryUser(found: Found | undefined): DirectoryUser | undefined {
  if (!found) return undefined
  const { id, email, name, permissions, suspended, securityStamp, accessStamp, quotas } = found.record
  return {
    id,
    email,
    name,
    permissions,
    memberships: found.memberships,
    suspended,
    securityStamp,
    accessStamp,
    ...(quotas && { quotas }),
  }
}
