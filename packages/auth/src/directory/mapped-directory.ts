import {
  coreErrors,
  type DirectoryChange,
  type DirectoryOrganisation,
  type DirectoryUser,
  type UserDirectory,
} from '@sallyport/core'
import { normaliseEmail } from '../email.js'
import type { PasswordScheme } from '../passwords/password-scheme.js'
import { createPasswordHasher } from './password-hasher.js'
import { passwordStamp, seedOf } from './password-stamp.js'
import { isUserId, type UserIdType } from './user-ids.js'

/** A user as the host's row says; what is left out is empty. See `DirectoryUser`. */
export interface MappedUser extends Partial<Omit<DirectoryUser, 'id' | 'email'>> {
  readonly id: string | number | bigint
  readonly email: string
}

/** What a query found. Of several rows none is taken: an address that people share says not who they are. */
export type MappedRows<Row> = Row | readonly Row[] | null | undefined

/** How a host's own tables of users are read; `Row` is whatever its queries give. */
export interface UserMapping<Row> {
  /** The type of the ids: what cannot be one never meets the database. */
  readonly ids: UserIdType
  findById(id: string): Promise<MappedRows<Row>>
  /** @param email in lower case and NFKC: compare it with `lower(…)` of the column */
  findByEmail(email: string): Promise<MappedRows<Row>>
  /**
   * `suspended` for whoever may not sign in. Without `securityStamp` a digest serves that changes with the password;
   * give one that changes on a suspension too, if the table has it.
   */
  toUser(row: Row): MappedUser | Promise<MappedUser>
  /** As it is stored, in any known format. */
  passwordHash(row: Row): string | null | undefined
  /**
   * A stored hash of each kind that the table has (format and cost), of anybody, of a test account for instance: an
   * unknown account then takes as long as a known one.
   */
  readonly sampleHashes: readonly string[]
  /** Formats beside those that are known already. */
  readonly schemes?: readonly PasswordScheme[]
  /**
   * Stores `hash` (argon2id, some 100 characters) in place of the row's, only if that is there still, and says whether
   * it was. Left out, hashes stay as they are for ever, and nobody changes their password here.
   */
  replacePasswordHash?(row: Row, hash: string): Promise<boolean>
  findOrganisation?(id: string): Promise<DirectoryOrganisation | undefined>
}

/** A `UserDirectory` on a host's own tables. */
export interface MappedDirectory extends UserDirectory {
  /**
   * To be called by the host once a user has been suspended or deleted, or has a new password or other permissions.
   * Resolves when it is in force.
   */
  tell(change: DirectoryChange): Promise<void>
  /** To be called once an organisation is gone: what it owned ends. Resolves when it has. */
  tellOrganisationDeleted(organisationId: string | number | bigint): Promise<void>
}

/** Of changes of one password at the same moment, one follows the other. */
const maxChangeAttempts = 3

/**
 * Makes a directory of a host's own tables. They are never written, but for the hash if the host allows it: a better
 * one then takes the place of an old one when its password is shown, and sessions go on.
 * @throws `AUTH_ERR_HASH_UNKNOWN` for a sample of no known format
 */
export function mappedDirectory<Row>(mapping: UserMapping<Row>): MappedDirectory {
  const { ids, sampleHashes: samples, schemes } = mapping
  const hasher = createPasswordHasher({ samples, ...(schemes && { schemes }) })
  const changes = createTelling<DirectoryChange>()
  const organisations = createTelling<string>()
  const hashOf = (row: Row): string | undefined => mapping.passwordHash(row) ?? undefined

  const toUser = async (row: Row): Promise<DirectoryUser> => {
    const user = await mapping.toUser(row)
    const { securityStamp = passwordStamp(hashOf(row)), accessStamp, quotas } = user
    // Field by field: a host that gives its whole row gives nothing of it away.
    return {
      id: String(user.id),
      email: user.email,
      name: user.name ?? null,
      permissions: user.permissions ?? [],
      memberships: user.memberships ?? [],
      suspended: user.suspended ?? false,
      securityStamp,
      ...(accessStamp !== undefined && { accessStamp }),
      ...(quotas && { quotas }),
    }
  }
  const rowById = async (id: string): Promise<Row | undefined> =>
    isUserId(ids, id) ? single(await mapping.findById(id)) : undefined
  const rowByEmail = async (email: string): Promise<Row | undefined> =>
    email === '' ? undefined : single(await mapping.findByEmail(email))
  // What databases take for equal is not always the same: 'a' and 'á', 'x' and 'x ', '7' and '07'.
  const ofId = (user: DirectoryUser, id: string): DirectoryUser | undefined => (user.id === id ? user : undefined)
  const ofEmail = (user: DirectoryUser, email: string): DirectoryUser | undefined =>
    normaliseEmail(user.email) === email ? user : undefined

  const findById = async (id: string): Promise<DirectoryUser | undefined> => {
    const row = await rowById(id)
    return row && ofId(await toUser(row), id)
  }

  const directory: MappedDirectory = {
    findById,
    async findByEmail(given) {
      const email = normaliseEmail(given)
      const row = await rowByEmail(email)
      return row && ofEmail(await toUser(row), email)
    },
    async verifyPassword(given, password) {
      const email = normaliseEmail(given)
      const row = await rowByEmail(email)
      const stored = row && hashOf(row)
      const { valid, outdated } = await hasher.verify(stored, password)
      if (!row || !valid) return undefined
      const user = ofEmail(await toUser(row), email)
      if (user && outdated && !user.suspended) {
        await mapping.replacePasswordHash?.(row, await hasher.hash(password, seedOf(stored)))
      }
      return user
    },
    onChange: changes.on,
    // In JavaScript a host may give the id as its table has it.
    tell: ({ userId, change }) => changes.tell({ userId: String(userId), change }),
    onOrganisationDeleted: organisations.on,
    tellOrganisationDeleted: (organisationId) => organisations.tell(String(organisationId)),
  }
  if (mapping.findOrganisation) directory.findOrganisation = mapping.findOrganisation.bind(mapping)
  if (mapping.replacePasswordHash) {
    const replace = mapping.replacePasswordHash.bind(mapping)
    directory.changePassword = async (id, newPassword) => {
      const hash = await hasher.hash(newPassword)
      for (let attempt = 0; attempt < maxChangeAttempts; attempt += 1) {
        const row = await rowById(id)
        const before = row && ofId(await toUser(row), id)
        if (!row || !before) return undefined
        if (!(await replace(row, hash))) continue
        const hasOwnStamp = before.securityStamp !== passwordStamp(hashOf(row))
        const user = await findById(id)
        // The stamp that goes with this password, should another have been set meanwhile.
        return user && (hasOwnStamp ? user : { ...user, securityStamp: passwordStamp(hash) })
      }
      throw coreErrors.CONFLICT({ reason: 'The password has just been changed; try again' })
    }
  }
  return directory
}

/** Handlers of one kind of news. */
interface Telling<News> {
  on(handler: (news: News) => void | Promise<void>): () => void
  /** All are told, one after the other; rejects with the first failure. */
  tell(news: News): Promise<void>
}

function createTelling<News>(): Telling<News> {
  const handlers = new Set<(news: News) => void | Promise<void>>()
  return {
    on(handler) {
      // An entry of its own for each call, so that whoever listens twice stops once.
      const entry = (news: News) => handler(news)
      handlers.add(entry)
      return () => void handlers.delete(entry)
    },
    async tell(news) {
      const failures: unknown[] = []
      for (const handler of [...handlers]) {
        try {
          await handler(news)
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}

function single<Row>(found: MappedRows<Row>): Row | undefined {
  if (!Array.isArray(found)) return (found as Row | null) ?? undefined
  return found.length === 1 ? (found as readonly Row[])[0] : undefined
}
