import { defineService, type ServiceToken } from '@sallyport/core'
import type { Transaction } from 'sequelize'

/** A token that was given out and has not been redeemed. */
export interface OneTimeToken<T = unknown> {
  /** Digest of the token: names it in other tables, and does not redeem it. */
  readonly id: string
  /** Whom it was made for, such as a user's id. */
  readonly subject: string | null
  readonly data: T
  readonly expiresAt: Date
}

export interface OneTimeTokenRequest<T> {
  readonly subject?: string | null
  /** JSON, kept as it is: no secret. */
  readonly data?: T
  readonly ttlSeconds: number
  /** Whether earlier ones of the same purpose and subject end. */
  readonly replace?: boolean
}

/** Tokens of 256 random bits that are redeemed once: challenges, links in mail. The database holds their digest. */
export interface OneTimeTokens {
  /** @param purpose such as `password-reset`; a token of one purpose is none of another */
  issue<T>(
    purpose: string,
    request: OneTimeTokenRequest<T>,
  ): Promise<{ readonly token: string; readonly id: string; readonly expiresAt: Date }>
  /** The token without redeeming it; `undefined` when there is none in force. */
  find<T>(purpose: string, token: string): Promise<OneTimeToken<T> | undefined>
  /**
   * Redeems it by one atomic statement: of many at the same moment, on whichever instance, one gets it.
   * @param transaction when it is rolled back, the token is in force again
   */
  redeem<T>(purpose: string, token: string, transaction?: Transaction): Promise<OneTimeToken<T> | undefined>
  /** Puts a redeemed token in force again, until it expires: for what could not be done with it just now. */
  restore(purpose: string, redeemed: OneTimeToken): Promise<void>
  /** Ends all of a subject's. */
  revoke(purpose: string, subject: string): Promise<void>
}

export const OneTimeTokens: ServiceToken<OneTimeTokens> = defineService<OneTimeTokens>('auth.one-time-tokens')
