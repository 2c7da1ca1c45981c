import { createHash } from 'node:crypto'
import { addressKey, type RateLimit, type RateLimits } from '@sallyport/core'
import { normaliseEmail } from './email.js'
import { authErrors } from './errors.js'

/** One try to prove who one is: at which account (it need not exist), from which address. */
export interface Attempt {
  readonly email: string
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
}

export function createAttempts(rateLimits: RateLimits, limits: AttemptLimits): Attempts {
  const perAccount: RateLimit = { name: 'auth.attempts-per-account', ...limits.perAccount }
  const perAddress: RateLimit = { name: 'auth.attempts-per-address', ...limits.perAddress }

  const take = async (limit: RateLimit, key: string): Promise<void> => {
    const decision = await rateLimits.consume(limit, key)
    if (!decision.allowed) throw authErrors.TOO_MANY_ATTEMPTS(undefined, { retryAfter: decision.retryAfterSeconds })
  }

  return {
    async run({ email, ip }, prove) {
      const account = accountKey(email)
      const address = addressKey(ip)
      await take(perAddress, address)
      await take(perAccount, account)
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
function accountKey(email: string): string {
  return createHash('sha256').update(normaliseEmail(email)).digest('base64url')
}
