import type { KeyType } from './key-text.js'

/** A row of `auth_api_keys`, but for the key's digest. */
export interface KeyRecord extends KeyMaker {
  readonly id: string
  /** Its owner, for whom it acts. */
  readonly userId: string
  /** The owner's when it was made; see `DirectoryUser.accessStamp`. */
  readonly accessStamp: string | null
  readonly type: KeyType
  readonly name: string
  /** Of a client key; what it may do is that and no more than `keyInForce` finds. */
  readonly permissions: readonly string[]
  /** Addresses and CIDR ranges that it may be used from; empty: any. */
  readonly allowedIps: readonly string[]
  readonly prefix: string
  /** Counts changes: what was decided of one revision is not done to another. */
  readonly revision: number
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** To the minute. */
  readonly lastUsedAt: Date | null
}

/** Who but its owner was shown the key's secret. It is never more than they are, and ends when they do. */
export interface KeyMaker {
  /** The key by which it was made or rotated. */
  readonly madeByKey: string | null
  /** The user who made or rotated it for its owner. */
  readonly madeByUser: string | null
  /** That user's access stamp. */
  readonly madeByStamp: string | null
}

/** Columns of a `KeyRecord`, of the table named `k`. */
export const keyColumns = `
  k.id, k.user_id AS "userId", k.access_stamp AS "accessStamp", k.type, k.name, k.permissions,
  k.allowed_ips AS "allowedIps", k.prefix, k.made_by_key AS "madeByKey", k.made_by_user AS "madeByUser",
  k.made_by_stamp AS "madeByStamp", k.revision, k.created_at AS "createdAt", k.expires_at AS "expiresAt",
  k.last_used_at AS "lastUsedAt"`
