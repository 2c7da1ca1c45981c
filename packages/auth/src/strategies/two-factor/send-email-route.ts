import { createHash } from 'node:crypto'
import type { RateLimit, RateLimits } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import type { Mailer } from '../../mail/mailer.js'
import { successSchema } from '../session/views.js'
import type { EmailCodes } from './email-codes.js'
import { codeMail } from './messages.js'
import { type TwoFactorRouteOptions, tag, tempTokenSchema } from './route-options.js'

interface SendEmailOptions {
  readonly mailer: Mailer
  readonly rateLimits: RateLimits
  readonly emailCodes: EmailCodes
  readonly issuer: string
}

const perSignIn: RateLimit = { name: 'auth.two-factor-mail-per-sign-in', points: 3, windowSeconds: 300 }
const perAccount: RateLimit = { name: 'auth.two-factor-mail-per-account', points: 10, windowSeconds: 3_600 }

const body = Type.Object({ tempToken: tempTokenSchema }, { additionalProperties: false })

/** `POST /api/auth/2fa/send-email`: a code to the address of whoever has proved the password. */
export function registerSendEmailRoute(options: TwoFactorRouteOptions, sending: SendEmailOptions): void {
  const { http, audit, tempTokens } = options
  const { mailer, rateLimits, emailCodes, issuer } = sending

  const take = async (limit: RateLimit, key: string): Promise<void> => {
    const decision = await rateLimits.consume(limit, key)
    if (!decision.allowed) throw authErrors.TOO_MANY_CODES(undefined, { retryAfter: decision.retryAfterSeconds })
  }

  http.route({
    method: 'POST',
    url: '/api/auth/2fa/send-email',
    access: 'public',
    summary: 'Sends a code for signing in by mail',
    description:
      'The code has six digits, lives 5 minutes, and ends with the fifth wrong try and when another is sent. At most 3 ' +
      'are sent for one sign-in, and 10 to one account in an hour.',
    tag,
    body,
    response: { 200: successSchema },
    async handler({ body: { tempToken }, ip, requestId }) {
      const { id, user } = await tempTokens.find(tempToken)
      await take(perSignIn, id)
      await take(perAccount, createHash('sha256').update(user.id).digest('base64url'))
      const code = await emailCodes.issue(id, user.id)
      await mailer.send({ to: user.email, ...codeMail(issuer, code) })
      const target = { type: 'user', id: user.id }
      await audit.record({ action: 'two-factor.code-sent', target, ip, requestId })
      return { success: true }
    },
  })
}
