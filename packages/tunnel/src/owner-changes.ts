import type { DirectoryChange, Logger } from '@sallyport/core'
import type { AuditTrail } from './audit-trail.js'
import type { Revocation } from './revocation.js'
import type { Sql } from './sql.js'

interface OwnerChangesOptions {
  readonly sql: Sql
  readonly audit: AuditTrail
  readonly revocation: Revocation
  readonly logger: Logger
}

/**
 * What happens to devices when their owner is suspended or deleted: their tokens die, their allocations go, their
 * waiting enrolments are denied. Devices of a suspended owner stay listed and need a new token afterwards; devices of a
 * deleted one are removed, or stay with their organisation. Safe to run twice, and on several instances at once.
 * Never rejects.
 */
export function createOwnerChanges({
  sql,
  audit,
  revocation,
  logger,
}: OwnerChangesOptions): (change: DirectoryChange) => Promise<void> {
  const endTokens = (userId: string): Promise<{ id: string }[]> =>
    sql(
      `UPDATE tunnel_devices SET
         token_id = NULL,
         denied_at = CASE WHEN approved_at IS NULL THEN COALESCE(denied_at, now()) END
       WHERE owner_id = $1 AND (token_id IS NOT NULL OR approved_at IS NULL AND denied_at IS NULL)
       RETURNING id`,
      [userId],
    )

  const endAllocations = (userId: string): Promise<{ id: string }[]> =>
    sql(
      `DELETE FROM tunnel_allocations a USING tunnel_devices d
       WHERE d.id = a.device_id AND d.owner_id = $1 RETURNING d.id`,
      [userId],
    )

  const leave = async (userId: string): Promise<{ id: string }[]> => {
    const removed = await sql<{ id: string }>(
      'DELETE FROM tunnel_devices WHERE owner_id = $1 AND organisation_id IS NULL RETURNING id',
      [userId],
    )
    await sql('UPDATE tunnel_devices SET owner_id = NULL WHERE owner_id = $1', [userId])
    return removed
  }

  const end = async ({ userId, change }: DirectoryChange): Promise<void> => {
    const ended = [...(await endTokens(userId)), ...(await endAllocations(userId))]
    if (change === 'deleted') ended.push(...(await leave(userId)))
    const deviceIds = [...new Set(ended.map(({ id }) => id))]
    await revocation.announce(deviceIds)
    for (const id of deviceIds) await audit.device('revoked', id, 'system', { ownerId: userId, because: change })
  }

  return async (change) => {
    if (change.change !== 'suspended' && change.change !== 'deleted') return
    try {
      await end(change)
    } catch (error) {
      logger.error({ err: error, userId: change.userId }, 'the devices of a user who left could not be ended')
    }
  }
}
