import type { Sql } from '@sallyport/core'
import { Op, type Transaction } from 'sequelize'
import { authErrors } from '../errors.js'
import type { UserRecords } from './user-record.js'

/** What `lockAdministrators` found: says whether the panel can do without one of them. */
export interface LockedAdministrators {
  /** @throws `AUTH_ERR_LAST_ADMINISTRATOR` when nobody else holds `*` */
  assertDispensable(userId: string): void
}

/** Name of the lock that is held by whoever is about to lock administrators. */
const turn = 'auth.administrators'

/**
 * Locks whoever holds `*` and is not suspended, before any other user: of two administrators who remove each other at
 * the same moment, one stays. Without one, nobody could ever make another.
 */
export async function lockAdministrators(
  sql: Sql,
  records: UserRecords,
  transaction: Transaction,
): Promise<LockedAdministrators> {
  // One at a time. An order among the rows is not enough: a user who becomes an administrator meanwhile is locked last
  // by one who does not see it yet and, by id, first by the next, and the two would wait for each other.
  await sql('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [turn], transaction)
  const holders = await records.findAll({
    attributes: ['id'],
    where: { permissions: { [Op.contains]: ['*'] }, suspended: false },
    order: [['id', 'ASC']],
    lock: true,
    transaction,
  })
  return {
    assertDispensable(userId) {
      if (holders.length === 1 && holders[0]?.id === userId) throw authErrors.LAST_ADMINISTRATOR()
    },
  }
}
