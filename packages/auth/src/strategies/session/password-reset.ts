import type { Audit, DirectoryUser, UserDirectory } from '@sallyport/core'
import { normaliseEmail } from '../../email.js'
import type { Mailer } from '../../mail/mailer.js'
import type { OneTimeTokens } from '../../one-time/one-time-tokens.js'
import { passwordResetMail } from './password-mail.js'

/** Who asks for a new password. */
export interface PasswordResetRequest {
  readonly email: string
  readonly ip: string
  readonly requestId: string
}

/** New passwords for who has lost theirs, by a link in a mail. */
export interface PasswordReset {
  /** Sends the link, if there is such a user and they are not suspended. */
  sendLink(request: PasswordResetRequest): Promise<void>
  /** Whether a token could be redeemed at the moment. */
  isInForce(token: string): Promise<boolean>
  /**
   * Redeems a token for a new password of its user; of many at the same moment one does. When `change` fails, because too
   * much is going on, the token is in force again.
   * @param change gives the user as they are then
   * @returns `undefined` for a token that is void
   */
  redeem(
    token: string,
    change: (user: DirectoryUser) => Promise<DirectoryUser | undefined>,
  ): Promise<DirectoryUser | undefined>
  /** Ends the links that a user has been sent. */
  revoke(userId: string): Promise<void>
}

interface PasswordResetOptions {
  readonly users: UserDirectory
  readonly oneTime: OneTimeTokens
  readonly mailer: Mailer
  readonly audit: Audit
  readonly publicUrl: () => string
}

/** What must still be so when the token is redeemed. */
interface ResetData {
  readonly email: string
  readonly securityStamp: string | null
}

const purpose = 'password-reset'
const minutesInForce = 30

export function createPasswordReset(options: PasswordResetOptions): PasswordReset {
  const { users, oneTime, mailer, audit, publicUrl } = options
  return {
    async sendLink({ email, ip, requestId }) {
      const user = await users.findByEmail(email)
      await audit.record({
        action: 'password.reset-requested',
        ...(user && { target: { type: 'user', id: user.id } }),
        ip,
        requestId,
        data: { email },
      })
      if (!user || user.suspended) return
      const { token } = await oneTime.issue<ResetData>(purpose, {
        subject: user.id,
        data: dataOf(user),
        ttlSeconds: minutesInForce * 60,
        replace: true,
      })
      await mailer.send(passwordResetMail({ to: user.email, publicUrl: publicUrl() }, token, minutesInForce))
    },
    isInForce: async (token) => (await oneTime.find(purpose, token)) !== undefined,
    async redeem(token, change) {
      const redeemed = await oneTime.redeem<ResetData>(purpose, token)
      if (!redeemed || redeemed.subject === null) return undefined
      const user = await users.findById(redeemed.subject)
      if (!user || user.suspended) return undefined
      const { email, securityStamp } = dataOf(user)
      if (redeemed.data.email !== email || redeemed.data.securityStamp !== securityStamp) return undefined
      try {
        return await change(user)
      } catch (error) {
        // Had the password been changed all the same, the stamp would be another, and the token void.
        await oneTime.restore(purpose, redeemed)
        throw error
      }
    },
    revoke: (userId) => oneTime.revoke(purpose, userId),
  }
}

function dataOf({ email, securityStamp }: DirectoryUser): ResetData {
  return { email: normaliseEmail(email), securityStamp: securityStamp ?? null }
}
