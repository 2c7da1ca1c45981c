import { randomUUID } from 'node:crypto'
import type { DirectoryUser, Events, UserDirectory } from '@sallyport/core'
import { normaliseEmail } from '../email.js'
import { isUuid } from '../uuid.js'
import type { PasswordHasher } from './password-hasher.js'
import { userChanged } from './user-changed.js'
import type { UserRecord, UserRecords } from './user-record.js'

interface BuiltInDirectoryOptions {
  readonly records: UserRecords
  readonly hasher: PasswordHasher
  readonly events: Events
}

/** Users in Sallyport's own tables. */
export function createBuiltInDirectory({ records, hasher, events }: BuiltInDirectoryOptions): UserDirectory {
  const findRecord = (email: string): Promise<UserRecord | null> =>
    records.findOne({ where: { emailNormalised: normaliseEmail(email) } })

  return {
    async findById(id) {
      if (!isUuid(id)) return undefined
      return toDirectoryUser(await records.findByPk(id))
    },
    async findByEmail(email) {
      return toDirectoryUser(await findRecord(email))
    },
    async verifyPassword(email, password) {
      const record = await findRecord(email)
      const { valid, outdated } = await hasher.verify(record?.passwordHash, password)
      if (!record || !valid) return undefined
      if (outdated && !record.suspended) await rehash(record, password)
      return toDirectoryUser(record)
    },
    async changePassword(id, newPassword) {
      if (!isUuid(id)) return undefined
      const passwordHash = await hasher.hash(newPassword)
      const change = { passwordHash, securityStamp: randomUUID() }
      const [, [record]] = await records.update(change, { where: { id }, returning: true })
      return toDirectoryUser(record)
    },
    onChange(handler) {
      return events.on(userChanged, handler)
    },
  }

  async function rehash(record: UserRecord, password: string): Promise<void> {
    const passwordHash = await hasher.hash(password)
    // Only in the place of the hash that was verified: a new password set meanwhile stays.
    const where = { id: record.id, passwordHash: record.passwordHash }
    await records.update({ passwordHash }, { where, silent: true })
  }
}

function toDirectoryUser(record: UserRecord | null | undefined): DirectoryUser | undefined {
  if (!record) return undefined
  const { id, email, name, permissions, suspended, securityStamp } = record
  return { id, email, name, permissions, memberships: [], suspended, securityStamp }
}
