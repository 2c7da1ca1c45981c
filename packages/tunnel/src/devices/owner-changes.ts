import { setTimeout as delay } from 'node:timers/promises'
import type { Database, DirectoryChange, Logger, Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import type { AuditTrail } from '../audit-trail.js'
import type { Revocation } from './revocation.js'

interface OwnerChangesOptions {
  readonly database: Database
  readonly sql: Sql
  readonly audit: AuditTrail
  readonly revocation: Revocation
  readonly logger: Logger
  /** Ends the wait for another try. */
  readonly signal: AbortSignal
}

/** Tries before giving up; the waits between them double from `firstWaitMs`, to some six seconds in all. */
const maxTries = 6
const firstWaitMs = 200

/**
 * What happens to devices when their owner is suspended or deleted: their tokens die, their allocations go, their
 * waiting enrolments are denied. Devices of a suspended owner stay listed and need a new token afterwards; devices of a
 * deleted one are removed, or stay with their organisation. All of it or nothing, tried again while the database fails.
 * Safe to run twice, and on several instances at once. Never rejects.
 */
export function createOwnerChanges({
  database,
  sql,
  audit,
  revocation,
  logger,
  signal,
}: OwnerChangesOptions): (change: DirectoryChange) => Promise<void> {
  const endTokens = (userId: string, transaction: Transaction): Promise<{ id: string }[]> =>
    sql(
      `UPDATE tunnel_devices SET
         token_id = NULL,
         denied_at = CASE WHEN approved_at IS NULL THEN COALESCE(denied_at, now()) END
       WHERE owner_id = $1 AND (token_id IS NOT NULL OR approved_at IS NULL AND denied_at IS NULL)
       RETURNING id`,
      [userId],
      transaction,
    )

  const endAllocations = (userId: string, transaction: Transaction): Promise<{ id: string }[]> =>
    sql(
      `DELETE FROM tunnel_allocations a USING tunnel_devices d
       WHERE d.id = a.device_id AND d.owner_id = $1 RETURNING d.id`,
      [userId],
      transaction,
    )

  const leave = async (userId: string, transaction: Transaction): Promise<{ id: string }[]> => {
    const removed = await sql<{ id: string }>(
      'DELETE FROM tunnel_devices WHERE owner_id = $1 AND organisation_id IS NULL RETURNING id',
      [userId],
      transaction,
    )
    await sql('UPDATE tunnel_devices SET owner_id = NULL WHERE owner_id = $1', [userId], transaction)
    return removed
  }

  const end = ({ userId, change }: DirectoryChange): Promise<{ id: string }[]> =>
    database.transaction(async (transaction) => [
      ...(await endTokens(userId, transaction)),
      ...(await endAllocations(userId, transaction)),
      ...(change === 'deleted' ? await leave(userId, transaction) : []),
    ])

  const endWithRetries = async (change: DirectoryChange): Promise<{ id: string }[]> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await end(change)
      } catch (error) {
        if (tries === maxTries) throw error
        logger.warn({ err: error, userId: change.userId, tries }, 'the devices of a user who left are not ended yet')
        await delay(firstWaitMs * 2 ** (tries - 1), undefined, { signal })
      }
    }
  }

  return async (change) => {
    const { userId, change: because } = change
    if (because !== 'suspended' && because !== 'deleted') return
    try {
      const ended = await endWithRetries(change)
      const deviceIds = [...new Set(ended.map(({ id }) => id))]
      await revocation.announce(deviceIds)
      for (const id of deviceIds) await audit.device('revoked', id, 'system', { ownerId: userId, because })
    } catch (error) {
      logger.error({ err: error, userId }, 'the devices of a user who left could not be ended')
    }
  }
}
