import type { Logger } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import type { SignInMethod } from '../../sign-in/sign-in.js'
import type { EmailCodes } from './email-codes.js'
import type { Secrets } from './secrets.js'
import { matchTotp } from './totp.js'
import type { TwoFactorStore } from './two-factor-store.js'

/** A code that is right as far as can be said without using it up. */
export interface CodeProof {
  readonly method: SignInMethod
  /** Uses it up, by one atomic statement: of many at the same moment one gets `true`. */
  use(transaction: Transaction): Promise<boolean>
}

/** Looks at codes; `undefined` for what is wrong. */
export interface Proofs {
  /** @param code six digits */
  totp(userId: string, code: string): Promise<CodeProof | undefined>
  recoveryCode(userId: string, code: string): CodeProof
  emailCode(tempTokenId: string, code: string): Promise<CodeProof | undefined>
}

interface ProofsOptions {
  readonly store: TwoFactorStore
  readonly secrets: Secrets
  readonly emailCodes: EmailCodes
  readonly logger: Logger
}

export function createProofs({ store, secrets, emailCodes, logger }: ProofsOptions): Proofs {
  return {
    async totp(userId, code) {
      const stored = await store.find(userId)
      if (!stored) return undefined
      const opened = secrets.open(stored.secret, userId)
      if (!opened) {
        logger.error({ userId }, 'a two-factor secret cannot be opened: the key that sealed it is gone')
        return undefined
      }
      const step = matchTotp(opened.secret, code)
      if (step === undefined) return undefined
      if (opened.outdated) await store.reseal(userId, stored.secret, secrets.seal(opened.secret, userId))
      return { method: 'totp', use: (transaction) => store.useStep(userId, stored.id, step, transaction) }
    },
    recoveryCode: (userId, code) => ({
      method: 'recovery-code',
      use: (transaction) => store.useRecoveryCode(userId, code, transaction),
    }),
    async emailCode(tempTokenId, code) {
      const mac = await emailCodes.check(tempTokenId, code)
      if (mac === undefined) return undefined
      return { method: 'email', use: (transaction) => emailCodes.use(tempTokenId, mac, transaction) }
    },
  }
}
