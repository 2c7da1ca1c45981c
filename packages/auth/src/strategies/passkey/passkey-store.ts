import { randomBytes, randomUUID } from 'node:crypto'
import { createSql, type Database } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { isUuid } from '../../uuid.js'

/** Of one user. */
export const maxPasskeysPerUser = 50
/** Random bytes of a user handle; it may have 64 at most, and must tell nothing of the user (WebAuthn L3 section 14.6.1). */
const handleBytes = 32

/** Whether the credential can be on several devices: WebAuthn's backup eligibility, which never changes. */
export type DeviceType = 'singleDevice' | 'multiDevice'

/** A passkey that was registered just now. */
export interface NewPasskey {
  readonly userId: string
  /** Base64url; the authenticator chose it. */
  readonly credentialId: string
  /** COSE_Key (RFC 9052 section 7). */
  readonly publicKey: Uint8Array
  /** WebAuthn's signature counter; 0 for authenticators without one. */
  readonly counter: number
  /** How browsers reach it, such as `internal` or `usb`. */
  readonly transports: readonly string[]
  readonly deviceType: DeviceType
  readonly backedUp: boolean
  /** Model of the authenticator, as it says itself; all zeros from most. */
  readonly aaguid: string
  readonly name: string
}

export interface Passkey extends NewPasskey {
  readonly id: string
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
}

/** What came of adding one: `taken` when its credential is somebody's already, `no-user` for a user without a handle. */
export type Addition =
  | { readonly kind: 'added'; readonly passkey: Passkey }
  | { readonly kind: 'taken' | 'full' | 'no-user' }

/** What came of using one: `stale-counter` says that the authenticator, or a copy of it, has been used before. */
export type Use = 'used' | 'stale-counter' | 'removed'

/** Passkeys on the database. */
export interface PasskeyStore {
  /** The user's handle, base64url; made when first asked for. */
  handle(userId: string): Promise<string>
  /** A user's, oldest first. */
  list(userId: string): Promise<readonly Passkey[]>
  /** The passkey of a credential, whose ever it is, with the handle of its user. */
  findByCredentialId(credentialId: string): Promise<{ readonly passkey: Passkey; readonly handle: string } | undefined>
  /** Never replaces what there is, and never exceeds `maxPasskeysPerUser`, however many are added at one time. */
  add(passkey: NewPasskey): Promise<Addition>
  /** Takes note of a use by one statement: of two with the same counter one fails, but both pass when there is none. */
  use(id: string, use: { readonly counter: number; readonly backedUp: boolean }): Promise<Use>
  /** `undefined` when the user has no such passkey; the same for `remove`. */
  rename(userId: string, id: string, name: string): Promise<Passkey | undefined>
  remove(userId: string, id: string): Promise<Passkey | undefined>
  /** Removes all of a user's and their handle, and gives how many. */
  removeAll(userId: string): Promise<number>
}

interface Row {
  readonly id: string
  readonly user_id: string
  readonly credential_id: string
  readonly public_key: Buffer
  /** `bigint`, which the driver gives as text. */
  readonly counter: string
  readonly transports: string[]
  readonly device_type: DeviceType
  readonly backed_up: boolean
  readonly aaguid: string
  readonly name: string
  readonly created_at: Date
  readonly last_used_at: Date | null
}

export function createPasskeyStore(database: Database): PasskeyStore {
  const sql = createSql(database)
  const query = (statement: string, values: readonly unknown[], within?: Transaction): Promise<Row[]> =>
    sql<Row>(statement, values, within)

  const insert = ({ userId, credentialId, publicKey, ...passkey }: NewPasskey, within: Transaction): Promise<Row[]> =>
    query(
      `INSERT INTO auth_passkeys (id, user_id, credential_id, public_key, counter, transports, device_type, backed_up, aaguid, name)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (credential_id) DO NOTHING RETURNING *`,
      [
        randomUUID(),
        userId,
        credentialId,
        Buffer.from(publicKey),
        passkey.counter,
        [...passkey.transports],
        passkey.deviceType,
        passkey.backedUp,
        passkey.aaguid,
        passkey.name,
      ],
      within,
    )

  return {
    async handle(userId) {
      const [row] = await sql<{ handle: string }>(
        `INSERT INTO auth_passkey_users (user_id, handle) VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET user_id = EXCLUDED.user_id RETURNING handle`,
        [userId, randomBytes(handleBytes).toString('base64url')],
      )
      return (row as { handle: string }).handle
    },
    async list(userId) {
      const rows = await query('SELECT * FROM auth_passkeys WHERE user_id = $1 ORDER BY created_at, id', [userId])
      return rows.map(toPasskey)
    },
    async findByCredentialId(credentialId) {
      const [row] = await sql<Row & { handle: string }>(
        'SELECT * FROM auth_passkeys JOIN auth_passkey_users USING (user_id) WHERE credential_id = $1',
        [credentialId],
      )
      return row && { passkey: toPasskey(row), handle: row.handle }
    },
    add(passkey) {
      return database.transaction(async (within) => {
        const { userId } = passkey
        // Its lock has additions of one user wait for each other, so that the count stays true.
        const users = await query('SELECT 1 FROM auth_passkey_users WHERE user_id = $1 FOR UPDATE', [userId], within)
        if (users.length === 0) return { kind: 'no-user' }
        const [counted] = await sql<{ count: number }>(
          'SELECT count(*)::int AS count FROM auth_passkeys WHERE user_id = $1',
          [userId],
          within,
        )
        if (counted === undefined || counted.count >= maxPasskeysPerUser) return { kind: 'full' }
        const [row] = await insert(passkey, within)
        return row ? { kind: 'added', passkey: toPasskey(row) } : { kind: 'taken' }
      })
    },
    async use(id, { counter, backedUp }) {
      const used = await query(
        `UPDATE auth_passkeys SET counter = $2::bigint, backed_up = $3, last_used_at = now()
         WHERE id = $1 AND (counter < $2::bigint OR (counter = 0 AND $2::bigint = 0)) RETURNING id`,
        [id, counter, backedUp],
      )
      if (used.length > 0) return 'used'
      const present = await query('SELECT 1 FROM auth_passkeys WHERE id = $1', [id])
      return present.length > 0 ? 'stale-counter' : 'removed'
    },
    async rename(userId, id, name) {
      if (!isUuid(id)) return undefined
      const statement = 'UPDATE auth_passkeys SET name = $3 WHERE user_id = $1 AND id = $2 RETURNING *'
      const [row] = await query(statement, [userId, id, name])
      return row && toPasskey(row)
    },
    async remove(userId, id) {
      if (!isUuid(id)) return undefined
      const [row] = await query('DELETE FROM auth_passkeys WHERE user_id = $1 AND id = $2 RETURNING *', [userId, id])
      return row && toPasskey(row)
    },
    async removeAll(userId) {
      return database.transaction(async (within) => {
        // The same lock as `add`'s, so that none is added behind it.
        const users = await query('SELECT 1 FROM auth_passkey_users WHERE user_id = $1 FOR UPDATE', [userId], within)
        if (users.length === 0) return 0
        const removed = await query('DELETE FROM auth_passkeys WHERE user_id = $1 RETURNING id', [userId], within)
        await query('DELETE FROM auth_passkey_users WHERE user_id = $1 RETURNING user_id', [userId], within)
        return removed.length
      })
    },
  }
}

function toPasskey(row: Row): Passkey {
  return {
    id: row.id,
    userId: row.user_id,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    counter: Number(row.counter),
    transports: row.transports,
    deviceType: row.device_type,
    backedUp: row.backed_up,
    aaguid: row.aaguid,
    name: row.name,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }
}
