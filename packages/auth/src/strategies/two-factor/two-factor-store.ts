import { randomUUID } from 'node:crypto'
import type { Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { newRecoveryCodes, recoveryCodeDigest } from './recovery-codes.js'
import type { SealedSecret } from './secrets.js'

/** A secret as the database has it. */
export interface StoredSecret {
  /** Of the set-up that it comes from. */
  readonly id: string
  readonly secret: string
}

/** Second factors in the database. What is redeemed once is redeemed by one statement. */
export interface TwoFactorStore {
  /** The secret in force. */
  find(userId: string): Promise<StoredSecret | undefined>
  recoveryCodesLeft(userId: string): Promise<number>
  /** Begins a transaction that changes more than one of a user's tables, so that two of them never wait for each other. */
  lock(userId: string, transaction: Transaction): Promise<void>
  /** Keeps a secret until it is proved; the one before it is forgotten. */
  beginSetup(userId: string, secret: string, ttlSeconds: number): Promise<void>
  findSetup(userId: string): Promise<StoredSecret | undefined>
  /** Puts a set-up's secret in force; `false` when that is not under way any more. */
  finishSetup(
    userId: string,
    setupId: string,
    secret: SealedSecret,
    step: number,
    transaction: Transaction,
  ): Promise<boolean>
  /** Uses up the codes of `step` and of all before it; `false` when they are, or the secret is in force no more. */
  useStep(userId: string, id: string, step: number, transaction: Transaction): Promise<boolean>
  useRecoveryCode(userId: string, code: string, transaction: Transaction): Promise<boolean>
  /** Makes new recovery codes in the place of all others. */
  replaceRecoveryCodes(userId: string, transaction: Transaction): Promise<readonly string[]>
  /** Seals anew, unless the secret has changed meanwhile. */
  reseal(userId: string, former: string, secret: SealedSecret): Promise<void>
  /** Up to `limit` secrets that another key than `key` seals, of users after `afterUserId` in the database's order. */
  sealedByOthers(key: string, afterUserId: string, limit: number): Promise<readonly SealedRow[]>
  /** Takes away all that there is of a user; `false` when the second factor was off. */
  remove(userId: string, transaction: Transaction): Promise<boolean>
  purge(): Promise<void>
}

export interface SealedRow {
  readonly userId: string
  readonly secret: string
}

export function createTwoFactorStore(sql: Sql): TwoFactorStore {
  return {
    async find(userId) {
      const [row] = await sql<StoredSecret>('SELECT id, secret FROM auth_two_factor WHERE user_id = $1', [userId])
      return row
    },
    async recoveryCodesLeft(userId) {
      const [row] = await sql<{ count: number }>(
        'SELECT count(*)::int AS count FROM auth_two_factor_recovery_codes WHERE user_id = $1',
        [userId],
      )
      return row?.count ?? 0
    },
    async lock(userId, transaction) {
      await sql('SELECT 1 FROM auth_two_factor WHERE user_id = $1 FOR UPDATE', [userId], transaction)
    },
    async beginSetup(userId, secret, ttlSeconds) {
      await sql(
        `INSERT INTO auth_two_factor_setups (user_id, id, secret, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(secs => $4))
         ON CONFLICT (user_id) DO UPDATE
         SET id = EXCLUDED.id, secret = EXCLUDED.secret, expires_at = EXCLUDED.expires_at`,
        [userId, randomUUID(), secret, ttlSeconds],
      )
    },
    async findSetup(userId) {
      const [row] = await sql<StoredSecret>(
        'SELECT id, secret FROM auth_two_factor_setups WHERE user_id = $1 AND expires_at > now()',
        [userId],
      )
      return row
    },
    async finishSetup(userId, setupId, { sealed, sealedBy }, step, transaction) {
      const finished = await sql(
        'DELETE FROM auth_two_factor_setups WHERE user_id = $1 AND id = $2 AND expires_at > now() RETURNING id',
        [userId, setupId],
        transaction,
      )
      if (finished.length === 0) return false
      await sql(
        `INSERT INTO auth_two_factor (user_id, id, secret, sealed_by, last_step, enabled_at)
         VALUES ($1, $2, $3, $4, $5, now())
         ON CONFLICT (user_id) DO UPDATE SET id = EXCLUDED.id, secret = EXCLUDED.secret,
           sealed_by = EXCLUDED.sealed_by, last_step = EXCLUDED.last_step, enabled_at = EXCLUDED.enabled_at`,
        [userId, setupId, sealed, sealedBy, step],
        transaction,
      )
      return true
    },
    async useStep(userId, id, step, transaction) {
      const used = await sql(
        'UPDATE auth_two_factor SET last_step = $3 WHERE user_id = $1 AND id = $2 AND last_step < $3 RETURNING id',
        [userId, id, step],
        transaction,
      )
      return used.length > 0
    },
    async useRecoveryCode(userId, code, transaction) {
      const digest = recoveryCodeDigest(userId, code)
      if (digest === undefined) return false
      const used = await sql(
        'DELETE FROM auth_two_factor_recovery_codes WHERE user_id = $1 AND digest = $2 RETURNING digest',
        [userId, digest],
        transaction,
      )
      return used.length > 0
    },
    async replaceRecoveryCodes(userId, transaction) {
      const codes = newRecoveryCodes()
      await sql('DELETE FROM auth_two_factor_recovery_codes WHERE user_id = $1', [userId], transaction)
      await sql(
        'INSERT INTO auth_two_factor_recovery_codes (user_id, digest) SELECT $1, unnest($2::text[])',
        [userId, codes.map((code) => recoveryCodeDigest(userId, code))],
        transaction,
      )
      return codes
    },
    async reseal(userId, former, { sealed, sealedBy }) {
      await sql('UPDATE auth_two_factor SET secret = $3, sealed_by = $4 WHERE user_id = $1 AND secret = $2', [
        userId,
        former,
        sealed,
        sealedBy,
      ])
    },
    sealedByOthers: (key, afterUserId, limit) =>
      sql<SealedRow>(
        `SELECT user_id AS "userId", secret FROM auth_two_factor
         WHERE sealed_by <> $1 AND user_id > $2 ORDER BY user_id LIMIT $3`,
        [key, afterUserId, limit],
      ),
    async remove(userId, transaction) {
      const removed = await sql('DELETE FROM auth_two_factor WHERE user_id = $1 RETURNING id', [userId], transaction)
      for (const table of ['setups', 'recovery_codes', 'email_codes']) {
        await sql(`DELETE FROM auth_two_factor_${table} WHERE user_id = $1`, [userId], transaction)
      }
      return removed.length > 0
    },
    async purge() {
      for (const table of ['setups', 'email_codes']) {
        await sql(`DELETE FROM auth_two_factor_${table} WHERE expires_at <= now()`, [])
      }
    },
  }
}
