import { createHash } from 'node:crypto'
import { addressKey, type RateLimit, type RateLimits } from '@sallyport/core'
import { authErrors } from '../errors.js'

/** One try to prove who one is. */
export interface Attempt {
  /** What tells accounts apart: a user's id or `normaliseEmail`'s answer. The account need not exist. */
  readonly account: string
  /** Address of the client. */
  readonly ip: string
}

/** How many tries that fail are let through. */
export interface AttemptLimits {
  readonly perAccount: AttemptLimit
  readonly perAddress: AttemptLimit
}

export interface AttemptLimit {
  readonly points: number
  readonly windowSeconds: number
}

/** Counts tries per account over all addresses, and per address over all accounts. */
export interface Attempts {
  /**
   * Takes a point of both before anything is looked up, so that while it lasts the right password is refused too. After
   * a try that was right the account starts afresh and the address has its point back; one that failed for another
   * reason than what was given is not counted.
   * @param prove gives `undefined` when what was given is wrong
   * @throws `AUTH_ERR_TOO_MANY_ATTEMPTS` (429) with `retryAfter`
   */
  run<T>(attempt: Attempt, prove: () => Promise<T | undefined>): Promise<T | undefined>
  /** Takes a point of both for something that is neither right nor wrong. Throws as `run` does. */
  take(attempt: Attempt): Promise<void>
  /** Has the account start afresh: its owner has proved who they are in another way. */
  reset(account: string): Promise<void>
}

/** @param name of what is tried, such as `password`: others are counted apart */
export function createAttempts(rateLimits: RateLimits, name: string, limits: AttemptLimits): Attempts {
  const perAccount: RateLimit = { name: `auth.${name}-per-account`, ...limits.perAccount }
  const perAddress: RateLimit = { name: `auth.${name}-per-address`, ...limits.perAddress }

  const takeOne = async (limit: RateLimit, key: string): Promise<void> => {
    const decision = await rateLimits.consume(limit, key)
    if (!decision.allowed) throw authErrors.TOO_MANY_ATTEMPTS(undefined, { retryAfter: decision.retryAfterSeconds })
  }

  const take = async (attempt: Attempt): Promise<void> => {
    await takeOne(perAddress, addressKey(attempt.ip))
    await takeOne(perAccount, accountKey(attempt.account))
  }

  return {
    take,
    reset: (account) => rateLimits.reset(perAccount, accountKey(account)),
    async run(attempt, prove) {
      const account = accountKey(attempt.account)
      const address = addressKey(attempt.ip)
      await take(attempt)
      try {
        const proven = await prove()
        if (proven === undefined) return undefined
        await rateLimits.reset(perAccount, account)
        await rateLimits.refund(perAddress, address)
        return proven
      } catch (error) {
        await rateLimits.refund(perAccount, account)
        await rateLimits.refund(perAddress, address)
        throw error
      }
    },
  }
}

/** Of one length whatever was sent, and no list of e-mail addresses for who reads the counters. */
function accountKey(account: string): string {
  return createHash('sha256').update(account).digest('base64url')
}
