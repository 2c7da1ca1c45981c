import { createHash, randomBytes } from 'node:crypto'
import { createSql, type Database } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import type { OneTimeToken, OneTimeTokens } from './one-time-tokens.js'

const tokenBytes = 32
const tokenExpression = /^[\w-]{43}$/

interface Row {
  readonly id: string
  readonly subject: string | null
  readonly data: unknown
  readonly expires_at: Date
}

/** `OneTimeTokens` on the database, and its housekeeping. */
export interface OneTimeTokenStore extends OneTimeTokens {
  /** Deletes what has expired. */
  purge(): Promise<void>
}

export function createOneTimeTokenStore(database: Database): OneTimeTokenStore {
  const sql = createSql(database)

  const find = async <T>(
    statement: string,
    purpose: string,
    token: string,
    transaction?: Transaction,
  ): Promise<OneTimeToken<T> | undefined> => {
    if (!tokenExpression.test(token)) return undefined
    const [row] = await sql<Row>(statement, [digest(purpose, token), purpose], transaction)
    if (!row) return undefined
    return { id: row.id, subject: row.subject, data: row.data as T, expiresAt: row.expires_at }
  }

  return {
    async issue(purpose, { subject = null, data = null, ttlSeconds, replace = false }) {
      const token = randomBytes(tokenBytes).toString('base64url')
      const id = digest(purpose, token)
      if (replace && subject !== null) await this.revoke(purpose, subject)
      const [row] = await sql<Row>(
        `INSERT INTO auth_one_time_tokens (id, purpose, subject, data, expires_at)
         VALUES ($1, $2, $3, $4::jsonb, now() + make_interval(secs => $5)) RETURNING id, subject, data, expires_at`,
        [id, purpose, subject, JSON.stringify(data), ttlSeconds],
      )
      return { token, id, expiresAt: (row as Row).expires_at }
    },
    find: (purpose, token) =>
      find('SELECT * FROM auth_one_time_tokens WHERE id = $1 AND purpose = $2 AND expires_at > now()', purpose, token),
    redeem: (purpose, token, transaction) =>
      find(
        'DELETE FROM auth_one_time_tokens WHERE id = $1 AND purpose = $2 AND expires_at > now() RETURNING *',
        purpose,
        token,
        transaction,
      ),
    async restore(purpose, { id, subject, data, expiresAt }) {
      await sql<Row>(
        `INSERT INTO auth_one_time_tokens (id, purpose, subject, data, expires_at) VALUES ($1, $2, $3, $4::jsonb, $5)
         ON CONFLICT (id) DO NOTHING`,
        [id, purpose, subject, JSON.stringify(data), expiresAt],
      )
    },
    async revoke(purpose, subject) {
      await sql<Row>('DELETE FROM auth_one_time_tokens WHERE purpose = $1 AND subject = $2', [purpose, subject])
    },
    async purge() {
      await sql<Row>('DELETE FROM auth_one_time_tokens WHERE expires_at <= now()', [])
    },
  }
}

/** Of 256 random bits, so a fast digest does. With the purpose in it a token of one is unknown to another. */
function digest(purpose: string, token: string): string {
  return createHash('sha256').update(`${purpose}\0${token}`).digest('base64url')
}
