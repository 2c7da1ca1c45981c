import { randomUUID } from 'node:crypto'
import {
  coreErrors,
  type Database,
  type DirectoryChange,
  type Events,
  type Principal,
  permitsAll,
  type Sql,
} from '@sallyport/core'
import { type Transaction, UniqueConstraintError } from 'sequelize'
import { normaliseEmail } from '../email.js'
import { authErrors } from '../errors.js'
import { isUuid } from '../uuid.js'
import { lockAdministrators } from './last-administrator.js'
import { lockOrganisationsOf } from './organisations/leaving.js'
import type { PasswordHasher } from './password-hasher.js'
import { mergeQuotas, type QuotaChange } from './quotas.js'
import { organisationDeleted, userChanged } from './user-changed.js'
import type { UserRecord, UserRecords } from './user-record.js'
import { toUserView, type UserView } from './user-view.js'

export interface NewUser {
  readonly email: string
  readonly password: string
  readonly name?: string | null
  readonly permissions?: readonly string[]
}

export interface UserChange extends Partial<NewUser> {
  readonly suspended?: boolean
  readonly quotas?: QuotaChange
}

/** Ids of what is gone. */
export interface RemovedUser {
  readonly id: string
  readonly organisations: readonly string[]
}

/** What holders of `users:read` and `users:write` do. `by` is who does it: they give and take only what they hold. */
export interface Users {
  list(page: { readonly limit: number; readonly offset: number }): Promise<{ users: UserView[]; total: number }>
  /** @throws `CORE_ERR_NOT_FOUND` */
  get(id: string): Promise<UserView>
  /** @throws `AUTH_ERR_EMAIL_TAKEN`, `AUTH_ERR_GRANT_EXCEEDED` */
  create(by: Principal, user: NewUser): Promise<UserView>
  /** @throws `CORE_ERR_NOT_FOUND`, `AUTH_ERR_EMAIL_TAKEN`, `AUTH_ERR_GRANT_EXCEEDED`, `AUTH_ERR_USER_HOLDS_MORE`, `AUTH_ERR_LAST_ADMINISTRATOR` */
  update(by: Principal, id: string, change: UserChange): Promise<UserView>
  /**
   * Deletes the user and the organisations that have no other member, and gives the ids of both.
   * @throws `CORE_ERR_NOT_FOUND`, `AUTH_ERR_USER_HOLDS_MORE`, `AUTH_ERR_LAST_ADMINISTRATOR`, `AUTH_ERR_LAST_OWNER`
   */
  remove(by: Principal, id: string): Promise<RemovedUser>
}

/** A user who joins organisations all the while is deleted some other time. */
const maxRemovalAttempts = 5

interface UsersOptions {
  readonly database: Database
  readonly sql: Sql
  readonly records: UserRecords
  readonly hasher: PasswordHasher
  readonly events: Events
}

export function createUsers({ database, sql, records, hasher, events }: UsersOptions): Users {
  /** The row, locked, once it is certain that `by` may touch it. */
  const lock = async (by: Principal, id: string, transaction: Transaction): Promise<UserRecord> => {
    const record = isUuid(id) ? await records.findByPk(id, { transaction, lock: true }) : null
    if (!record) throw coreErrors.NOT_FOUND()
    if (!permitsAll(by.permissions, record.permissions)) throw authErrors.USER_HOLDS_MORE()
    return record
  }

  const tell = async (userId: string, changes: readonly DirectoryChange['change'][]): Promise<void> => {
    for (const change of changes) await events.emit(userChanged, { userId, change })
  }

  return {
    async list({ limit, offset }) {
      const order: [string, string][] = [
        ['createdAt', 'ASC'],
        ['id', 'ASC'],
      ]
      const { rows, count } = await records.findAndCountAll({ limit, offset, order })
      return { users: rows.map(toUserView), total: count }
    },
    async get(id) {
      const record = isUuid(id) ? await records.findByPk(id) : null
      if (!record) throw coreErrors.NOT_FOUND()
      return toUserView(record)
    },
    async create(by, { email, password, name, permissions = [] }) {
      assertHeld(by, permissions)
      const record = await records
        .create({
          id: randomUUID(),
          email,
          emailNormalised: normaliseEmail(email),
          name: name ?? null,
          passwordHash: await hasher.hash(password),
          permissions: [...permissions],
          suspended: false,
          securityStamp: randomUUID(),
          accessStamp: randomUUID(),
        })
        .catch(rethrowTaken)
      return toUserView(record)
    },
    async update(by, id, change) {
      assertHeld(by, change.permissions ?? [])
      const passwordHash = change.password === undefined ? undefined : await hasher.hash(change.password)
      const { record, changes } = await database
        .transaction(async (transaction) => {
          const administrators = demotes(change) ? await lockAdministrators(sql, records, transaction) : undefined
          const record = await lock(by, id, transaction)
          administrators?.assertDispensable(record.id)
          const changes = changesOf(record, change)
          record.set({
            ...(change.email !== undefined && { email: change.email, emailNormalised: normaliseEmail(change.email) }),
            ...(change.name !== undefined && { name: change.name }),
            ...(change.permissions && { permissions: [...change.permissions] }),
            ...(change.suspended !== undefined && { suspended: change.suspended }),
            ...(passwordHash !== undefined && { passwordHash }),
            ...(change.quotas !== undefined && { quotas: mergeQuotas(record.quotas ?? null, change.quotas) }),
            // With a new stamp every session is void from this commit on, whoever hears the event and whoever not.
            ...(changes.some((entry) => entry !== 'permissions') && { securityStamp: randomUUID() }),
            ...(changes.includes('suspended') && { accessStamp: randomUUID() }),
          })
          return { record: await record.save({ transaction }), changes }
        })
        .catch(rethrowTaken)
      await tell(record.id, changes)
      return toUserView(record)
    },
    async remove(by, id) {
      const tryToRemove = (): Promise<RemovedUser | undefined> =>
        database.transaction(async (transaction) => {
          const organisations = await lockOrganisationsOf(sql, id, transaction)
          const administrators = await lockAdministrators(sql, records, transaction)
          const record = await lock(by, id, transaction)
          administrators.assertDispensable(record.id)
          const deserted = await organisations.leave()
          if (!deserted) return undefined
          await record.destroy({ transaction })
          return { id: record.id, organisations: deserted }
        })
      for (let attempt = 0; attempt < maxRemovalAttempts; attempt += 1) {
        const removed = await tryToRemove()
        if (!removed) continue
        await tell(removed.id, ['deleted'])
        for (const organisationId of removed.organisations) await events.emit(organisationDeleted, { organisationId })
        return removed
      }
      throw coreErrors.CONFLICT({ reason: "The user's organisations have just changed; try again" })
    },
  }
}

function assertHeld(by: Principal, permissions: readonly string[]): void {
  if (!permitsAll(by.permissions, permissions)) throw authErrors.GRANT_EXCEEDED()
}

/** Whether the change makes an administrator something less. */
function demotes({ suspended, permissions }: UserChange): boolean {
  return suspended === true || (permissions !== undefined && !permissions.includes('*'))
}

function changesOf(record: UserRecord, change: UserChange): DirectoryChange['change'][] {
  const changes: DirectoryChange['change'][] = []
  if (change.suspended === true) changes.push('suspended')
  if (change.password !== undefined) changes.push('password')
  if (change.permissions && change.permissions.join() !== record.permissions.join()) changes.push('permissions')
  return changes
}

function rethrowTaken(error: unknown): never {
  throw error instanceof UniqueConstraintError ? authErrors.EMAIL_TAKEN(undefined, { cause: error }) : error
}
