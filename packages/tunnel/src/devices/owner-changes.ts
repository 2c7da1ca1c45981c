import { setTimeout as delay } from 'node:timers/promises'
import type { Database, DirectoryChange, Logger, Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { quotaLock, subjectOf } from '../allocations/quotas.js'
import type { AuditTrail } from '../audit-trail.js'
import { lock } from '../sql.js'
import type { Owners } from './owners.js'
import type { Revocation } from './revocation.js'

interface OwnerChangesOptions {
  readonly database: Database
  readonly sql: Sql
  readonly audit: AuditTrail
  readonly revocation: Revocation
  readonly owners: Owners
  readonly logger: Logger
  /** Ends the wait for another try. */
  readonly signal: AbortSignal
}

/** Tries before giving up; the waits between them double from `firstWaitMs`, to some six seconds in all. */
const maxTries = 6
const firstWaitMs = 200

/**
 * What happens to devices when whoever they belong to leaves. All of it or nothing, tried again while the database fails.
 * Safe to run twice, and on several instances at once. Never rejects.
 */
export interface OwnerChanges {
  /**
   * Of a suspended or deleted user tokens die, allocations go, waiting enrolments are denied. Devices of a suspended one
   * stay listed and need a new token afterwards; devices of a deleted one are removed, or stay with their organisation.
   */
  follow(change: DirectoryChange): Promise<void>
  /** The organisation's devices are removed with their allocations, whoever owns them. */
  organisationDeleted(organisationId: string): Promise<void>
}

interface Ended {
  readonly id: string
  readonly removed: boolean
}

interface OwnedRow {
  readonly id: string
  readonly owner_id: string | null
  readonly organisation_id: string | null
}

export function createOwnerChanges(options: OwnerChangesOptions): OwnerChanges {
  const { database, sql, audit, revocation, owners, logger, signal } = options

  /** The locks on the quotas of these devices: nothing is allocated for them until the transaction ends. */
  const stopAllocating = async (condition: string, id: string, transaction: Transaction): Promise<void> => {
    const rows = await sql<OwnedRow>(
      `SELECT id, owner_id, organisation_id FROM tunnel_devices WHERE ${condition} AND approved_at IS NOT NULL`,
      [id],
      transaction,
    )
    const subjects = rows.map((row) =>
      subjectOf({ id: row.id, ownerId: row.owner_id, organisationId: row.organisation_id }),
    )
    if (subjects.length > 0) await lock(sql, transaction, ...[...new Set(subjects)].map(quotaLock).sort())
  }

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

  const endUser = ({ userId, change }: DirectoryChange): Promise<Ended[]> =>
    database.transaction(async (transaction) => {
      await stopAllocating('owner_id = $1', userId, transaction)
      const ended = [...(await endTokens(userId, transaction)), ...(await endAllocations(userId, transaction))]
      const removed = new Set((change === 'deleted' ? await leave(userId, transaction) : []).map(({ id }) => id))
      const ids = new Set([...ended.map(({ id }) => id), ...removed])
      return [...ids].map((id) => ({ id, removed: removed.has(id) }))
    })

  const endOrganisation = (organisationId: string): Promise<Ended[]> =>
    database.transaction(async (transaction) => {
      await stopAllocating('organisation_id = $1', organisationId, transaction)
      const gone = await sql<{ id: string }>(
        'DELETE FROM tunnel_devices WHERE organisation_id = $1 RETURNING id',
        [organisationId],
        transaction,
      )
      return gone.map(({ id }) => ({ id, removed: true }))
    })

  const withRetries = async (who: object, end: () => Promise<Ended[]>): Promise<Ended[]> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await end()
      } catch (error) {
        if (tries === maxTries) throw error
        logger.warn({ err: error, ...who, tries }, 'the devices of somebody who left are not ended yet')
        await delay(firstWaitMs * 2 ** (tries - 1), undefined, { signal })
      }
    }
  }

  const end = async (
    who: Readonly<Record<string, string>>,
    because: string,
    work: () => Promise<Ended[]>,
  ): Promise<void> => {
    try {
      const ended = await withRetries(who, work)
      await revocation.announce(ended.map(({ id }) => id))
      for (const { id, removed } of ended) {
        await audit.device(removed ? 'deleted' : 'revoked', id, 'system', { ...who, because })
      }
    } catch (error) {
      logger.error({ err: error, ...who }, 'the devices of somebody who left could not be ended')
    }
  }

  return {
    async follow(change) {
      const { userId, change: because } = change
      owners.forget(userId)
      if (because !== 'suspended' && because !== 'deleted') return
      await end({ ownerId: userId }, because, () => endUser(change))
    },
    organisationDeleted: (organisationId) =>
      end({ organisationId }, 'organisation_deleted', () => endOrganisation(organisationId)),
  }
}
