import { createHmac, type KeyObject, randomInt, timingSafeEqual } from 'node:crypto'
import type { Keyring, Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'

const purpose = 'two-factor e-mail code'
const ttlSeconds = 300
const maxTries = 5
const digits = 6

/**
 * Codes that were sent by mail, at most one for each tempToken. The database has their HMAC: a reader of it could find a
 * code by trying all million, were it a digest.
 */
export interface EmailCodes {
  /** Makes a code in the place of the one before, with tries of its own. */
  issue(tempTokenId: string, userId: string): Promise<string>
  /**
   * Takes one try, whatever comes of it, and says whether `code` is the one in force.
   * @returns what `use` redeems
   */
  check(tempTokenId: string, code: string): Promise<string | undefined>
  /** Redeems it by one statement. */
  use(tempTokenId: string, mac: string, transaction: Transaction): Promise<boolean>
}

export function createEmailCodes(sql: Sql, keyring: Keyring): EmailCodes {
  const keys = keyring.derive(purpose)
  return {
    async issue(tempTokenId, userId) {
      const code = randomInt(10 ** digits)
        .toString()
        .padStart(digits, '0')
      await sql(
        `INSERT INTO auth_two_factor_email_codes (temp_token_id, user_id, mac, tries, expires_at)
         VALUES ($1, $2, $3, 0, now() + make_interval(secs => $4))
         ON CONFLICT (temp_token_id) DO UPDATE SET mac = EXCLUDED.mac, tries = 0, expires_at = EXCLUDED.expires_at`,
        [tempTokenId, userId, macOf(keys[0].key, tempTokenId, code), ttlSeconds],
      )
      return code
    },
    async check(tempTokenId, code) {
      const [row] = await sql<{ mac: string }>(
        `UPDATE auth_two_factor_email_codes SET tries = tries + 1
         WHERE temp_token_id = $1 AND tries < $2 AND expires_at > now() RETURNING mac`,
        [tempTokenId, maxTries],
      )
      if (!row) return undefined
      return keys.some(({ key }) => equal(row.mac, macOf(key, tempTokenId, code))) ? row.mac : undefined
    },
    async use(tempTokenId, mac, transaction) {
      const used = await sql(
        `DELETE FROM auth_two_factor_email_codes
         WHERE temp_token_id = $1 AND mac = $2 AND expires_at > now() RETURNING mac`,
        [tempTokenId, mac],
        transaction,
      )
      return used.length > 0
    },
  }
}

function macOf(key: KeyObject, tempTokenId: string, code: string): string {
  return createHmac('sha256', key).update(`${tempTokenId}\0${code}`).digest('base64url')
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
