import type { DirectoryUser, UserDirectory } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import { authErrors } from '../../errors.js'
import type { OneTimeTokens } from '../../one-time/one-time-tokens.js'

const purpose = 'two-factor'
const ttlSeconds = 300

interface TempTokenData {
  /** The user's when the password was right. */
  readonly securityStamp: string | null
}

/** Whoever proved the password and is asked for the second factor. */
export interface PendingSignIn {
  /** Names the tempToken in other tables. */
  readonly id: string
  readonly user: DirectoryUser
}

/** What stands for a right password until the second factor is shown: no credential. */
export interface TempTokens {
  issue(user: DirectoryUser): Promise<string>
  /**
   * @throws `AUTH_ERR_TEMP_TOKEN_REFUSED` (401) when it is unknown, expired or redeemed, and when its user is gone,
   *   suspended or has a new password
   */
  find(tempToken: string): Promise<PendingSignIn>
  /** @throws `AUTH_ERR_TEMP_TOKEN_REFUSED` (401) */
  redeem(tempToken: string, transaction: Transaction): Promise<void>
  revokeAll(userId: string): Promise<void>
}

export function createTempTokens(tokens: OneTimeTokens, users: UserDirectory): TempTokens {
  return {
    async issue(user) {
      const data: TempTokenData = { securityStamp: user.securityStamp ?? null }
      return (await tokens.issue(purpose, { subject: user.id, data, ttlSeconds })).token
    },
    async find(tempToken) {
      const found = await tokens.find<TempTokenData>(purpose, tempToken)
      const user = found?.subject ? await users.findById(found.subject) : undefined
      if (!found || !user || user.suspended || (user.securityStamp ?? null) !== found.data.securityStamp) {
        throw authErrors.TEMP_TOKEN_REFUSED()
      }
      return { id: found.id, user }
    },
    async redeem(tempToken, transaction) {
      if (!(await tokens.redeem(purpose, tempToken, transaction))) throw authErrors.TEMP_TOKEN_REFUSED()
    },
    revokeAll: (userId) => tokens.revoke(purpose, userId),
  }
}
