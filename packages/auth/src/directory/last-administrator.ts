import { Op, type Transaction } from 'sequelize'
import { authErrors } from '../errors.js'
import type { UserRecords } from './user-record.js'

/** What `lockAdministrators` found: says whether the panel can do without one of them. */
export interface LockedAdministrators {
  /** @throws `AUTH_ERR_LAST_ADMINISTRATOR` when nobody else holds `*` */
  assertDispensable(userId: string): void
}

/**
 * Locks whoever holds `*` and is not suspended, always in the same order and before any other user: of two
 * administrators who remove each other at the same moment, one stays. Without one, nobody could ever make another.
 */
export async function lockAdministrators(
  records: UserRecords,
  transaction: Transaction,
): Promise<LockedAdministrators> {
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
