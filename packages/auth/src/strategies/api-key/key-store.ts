import { randomUUID } from 'node:crypto'
import { coreErrors, createSql, type Database } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { authErrors } from '../../errors.js'
import { isUuid } from '../../uuid.js'
import { type KeyMaker, type KeyRecord, keyColumns } from './key-record.js'

/** Keys that may have made one another; a longer row of them is void. */
export const maxChainLength = 5
/** How long an expired key can still be seen, and given a later end. */
const keptForDays = 30

/** What a new row holds. */
export interface NewKey
  extends KeyMaker,
    Pick<
      KeyRecord,
      'userId' | 'accessStamp' | 'type' | 'name' | 'permissions' | 'allowedIps' | 'prefix' | 'expiresAt'
    > {
  readonly digest: string
}

/** A key's new secret, and whom it was shown to. */
export interface NewSecret extends KeyMaker {
  readonly digest: string
  readonly prefix: string
}

/** A key that acts, by its id and the digest of the secret that it was presented with. */
export interface ActingKey {
  readonly id: string
  readonly digest: string
}

export interface KeyPage {
  /** Left out: of all. */
  readonly userId?: string
  readonly limit: number
  readonly offset: number
}

/** API keys in the database. What it does not find it gives as `undefined`. */
export interface KeyStore {
  /** The key of a digest, followed by the key that made it, that one's maker and so on. */
  findByDigest(digest: string): Promise<readonly KeyRecord[]>
  findById(id: string): Promise<KeyRecord | undefined>
  /** Newest first. */
  list(page: KeyPage): Promise<{ readonly keys: readonly KeyRecord[]; readonly total: number }>
  /**
   * @param by the key that makes it
   * @throws `AUTH_ERR_API_KEY_LIMIT` (403), `CORE_ERR_INVALID_CREDENTIALS` (401) when `by` has just ended
   */
  create(key: NewKey, by: ActingKey | undefined, maxKeysPerUser: number): Promise<KeyRecord>
  /** Changes the revision that was read; `undefined` when there is another by now. */
  change(
    read: KeyRecord,
    fields: Pick<KeyRecord, 'name' | 'permissions' | 'allowedIps' | 'expiresAt'>,
  ): Promise<KeyRecord | undefined>
  /** The same with its secret; the keys that it has made end. Throws 401 when `by` has just ended. */
  rotate(read: KeyRecord, secret: NewSecret, by: ActingKey | undefined): Promise<KeyRecord | undefined>
  /** With the keys that it has made. `false` when there is none. */
  remove(id: string): Promise<boolean>
  /**
   * Removes a user's, and those that they have made for others.
   * @param presentStamp the user's access stamp: what was made under it stays. Left out, all are removed
   */
  removeOf(userId: string, presentStamp?: string): Promise<number>
  /** Deletes what expired long ago. */
  purge(): Promise<void>
}

export function createKeyStore(database: Database): KeyStore {
  const sql = createSql(database)
  const query = (statement: string, values: readonly unknown[], transaction?: Transaction): Promise<KeyRecord[]> =>
    sql<KeyRecord>(statement, values, transaction)

  /** Holds the acting key as it is until the transaction ends: who rotates or deletes it ends what it makes, too. */
  const hold = async (by: ActingKey | undefined, transaction: Transaction): Promise<void> => {
    if (!by) return
    const statement = 'SELECT id FROM auth_api_keys WHERE id = $1 AND digest = $2 FOR SHARE'
    if ((await query(statement, [by.id, by.digest], transaction)).length === 0) throw coreErrors.INVALID_CREDENTIALS()
  }

  /** One after the other makes keys of a user: two that count together would both find room for one. */
  const assertRoom = async (userId: string, max: number, transaction: Transaction): Promise<void> => {
    await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`auth.api-keys ${userId}`], transaction)
    const count = async (): Promise<number> => {
      const statement = 'SELECT count(*)::integer AS count FROM auth_api_keys WHERE user_id = $1'
      return (await sql<{ count: number }>(statement, [userId], transaction))[0]?.count ?? 0
    }
    if ((await count()) < max) return
    await query('DELETE FROM auth_api_keys WHERE user_id = $1 AND expires_at <= now()', [userId], transaction)
    if ((await count()) >= max) throw authErrors.API_KEY_LIMIT({ limit: max })
  }

  return {
    findByDigest: (digest) =>
      query(
        `WITH RECURSIVE chain AS (
           SELECT k.*, 1 AS place FROM auth_api_keys k WHERE k.digest = $1
           UNION ALL
           SELECT m.*, c.place + 1 FROM auth_api_keys m JOIN chain c ON m.id = c.made_by_key
           WHERE c.place < ${maxChainLength}
         )
         SELECT ${keyColumns} FROM chain k ORDER BY k.place`,
        [digest],
      ),
    async findById(id) {
      if (!isUuid(id)) return undefined
      return (await query(`SELECT ${keyColumns} FROM auth_api_keys k WHERE k.id = $1`, [id]))[0]
    },
    async list({ userId = null, limit, offset }) {
      const where = 'WHERE $1::text IS NULL OR k.user_id = $1'
      const keys = await query(
        `SELECT ${keyColumns} FROM auth_api_keys k ${where} ORDER BY k.created_at DESC, k.id LIMIT $2 OFFSET $3`,
        [userId, limit, offset],
      )
      const statement = `SELECT count(*)::integer AS total FROM auth_api_keys k ${where}`
      const [counted] = await sql<{ total: number }>(statement, [userId])
      return { keys, total: counted?.total ?? 0 }
    },
    create: (key, by, maxKeysPerUser) =>
      database.transaction(async (transaction) => {
        await assertRoom(key.userId, maxKeysPerUser, transaction)
        await hold(by, transaction)
        const [made] = await query(
          `INSERT INTO auth_api_keys AS k (id, user_id, access_stamp, type, name, permissions, allowed_ips, digest,
             prefix, made_by_key, made_by_user, made_by_stamp, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING ${keyColumns}`,
          [
            randomUUID(),
            key.userId,
            key.accessStamp,
            key.type,
            key.name,
            key.permissions,
            key.allowedIps,
            key.digest,
            key.prefix,
            key.madeByKey,
            key.madeByUser,
            key.madeByStamp,
            key.expiresAt,
          ],
          transaction,
        )
        return made as KeyRecord
      }),
    async change({ id, revision }, { name, permissions, allowedIps, expiresAt }) {
      const [changed] = await query(
        `UPDATE auth_api_keys k
         SET name = $3, permissions = $4, allowed_ips = $5, expires_at = $6, revision = revision + 1
         WHERE id = $1 AND revision = $2 RETURNING ${keyColumns}`,
        [id, revision, name, permissions, allowedIps, expiresAt],
      )
      return changed
    },
    rotate: ({ id, revision }, { digest, prefix, madeByKey, madeByUser, madeByStamp }, by) =>
      database.transaction(async (transaction) => {
        if (by && by.id !== id) {
          // In one order: of two keys that rotate each other, one is first.
          const statement = 'SELECT id FROM auth_api_keys WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE'
          await query(statement, [[by.id, id]], transaction)
          await hold(by, transaction)
        }
        const [rotated] = await query(
          `UPDATE auth_api_keys k
           SET digest = $3, prefix = $4, made_by_key = $5, made_by_user = $6, made_by_stamp = $7,
             revision = revision + 1
           WHERE id = $1 AND revision = $2 AND ($8::text IS NULL OR digest = $8) RETURNING ${keyColumns}`,
          [id, revision, digest, prefix, madeByKey, madeByUser, madeByStamp, by?.id === id ? by.digest : null],
          transaction,
        )
        if (rotated) await query('DELETE FROM auth_api_keys WHERE made_by_key = $1', [id], transaction)
        return rotated
      }),
    remove: async (id) =>
      isUuid(id) && (await query('DELETE FROM auth_api_keys WHERE id = $1 RETURNING id', [id])).length > 0,
    async removeOf(userId, presentStamp) {
      const isOld = (stamp: string): string => `($2::text IS NULL OR ${stamp} IS DISTINCT FROM $2)`
      const statement = `DELETE FROM auth_api_keys WHERE (user_id = $1 AND ${isOld('access_stamp')})
        OR (made_by_user = $1 AND ${isOld('made_by_stamp')}) RETURNING id`
      return (await query(statement, [userId, presentStamp ?? null])).length
    },
    async purge() {
      await query(`DELETE FROM auth_api_keys WHERE expires_at < now() - make_interval(days => ${keptForDays})`, [])
    },
  }
}
