import type { RateLimit } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { normaliseEmail } from '../../email.js'
import { authErrors } from '../../errors.js'
import { passwordSchema } from '../../input.js'
import { passwordChangedMail } from './password-mail.js'
import { type SessionRouteOptions, tag } from './route-options.js'
import { successSchema } from './views.js'

const maxTokenLength = 100

const body = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: maxTokenLength }), password: passwordSchema },
  { additionalProperties: false },
)

/** Nobody guesses 256 bits: this bounds the work that strangers can ask for. */
const rateLimit: RateLimit = { name: 'auth.password-reset-confirm', points: 200, windowSeconds: 900 }

/** `POST /api/auth/password-reset/confirm`; not there when the host's own users keep their passwords to themselves. */
export function registerPasswordResetConfirmRoute(options: SessionRouteOptions): void {
  const { http, users, audit, attempts, store, policy, resets, background, mailer } = options
  if (!users.changePassword) return
  const changePassword = users.changePassword.bind(users)

  http.route({
    method: 'POST',
    url: '/api/auth/password-reset/confirm',
    access: 'public',
    summary: 'Chooses a new password by the token of a link, and ends all sessions',
    description:
      'A second factor stays on, and is asked for at the next sign-in. A password that is refused leaves the token in ' +
      'force. A token that is unknown, used or expired is 401.',
    tag,
    body,
    rateLimit,
    response: { 200: successSchema },
    async handler({ body: { token, password }, ip, requestId }) {
      // First, so that only who has a token has passwords looked at; what counts is that it is redeemed below.
      if (!(await resets.isInForce(token))) throw authErrors.RESET_TOKEN_REFUSED()
      await policy.assertAcceptable(password, '/password')
      const changed = await resets.redeem(token, ({ id }) => changePassword(id, password))
      if (!changed) throw authErrors.RESET_TOKEN_REFUSED()
      await store.revokeAll(changed.id)
      await resets.revoke(changed.id)
      await audit.record({ action: 'password.reset', target: { type: 'user', id: changed.id }, ip, requestId })
      const { publicUrl } = http
      background.run('telling of a new password', () =>
        mailer.send(passwordChangedMail({ to: changed.email, publicUrl })),
      )
      await attempts.reset(normaliseEmail(changed.email))
      return { success: true }
    },
  })
}
