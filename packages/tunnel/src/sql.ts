import type { Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'

/**
 * Locks names, in this order, until the transaction ends: whoever wants one of them waits. Never together with what
 * they protect in one statement, which would see the database as it was before the wait.
 */
export async function lock(sql: Sql, transaction: Transaction, ...names: readonly string[]): Promise<void> {
  await sql(
    `SELECT pg_advisory_xact_lock(hashtextextended('tunnel:' || name, 0))::text
     FROM jsonb_array_elements_text($1::jsonb) AS n (name)`,
    [JSON.stringify(names)],
    transaction,
  )
}

/** An ISO 8601 time of what the driver gives for a `timestamptz`. */
export function iso(value: Date | string): string {
  return new Date(value).toISOString()
}

/** The same for a column that may be null. */
export function isoOrNull(value: Date | string | null): string | null {
  return value === null ? null : iso(value)
}
