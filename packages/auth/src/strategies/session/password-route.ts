import { coreErrors } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { normaliseEmail } from '../../email.js'
import { authErrors } from '../../errors.js'
import { passwordSchema } from '../../input.js'
import { passwordChangedMail } from './password-mail.js'
import { people, type SessionRouteOptions, sessionOf, tag } from './route-options.js'
import { successSchema } from './views.js'

const body = Type.Object(
  { currentPassword: passwordSchema, newPassword: passwordSchema },
  { additionalProperties: false },
)

/** `POST /api/auth/password`; not there when the host's own users keep their passwords to themselves. */
export function registerPasswordRoute(options: SessionRouteOptions): void {
  const { http, users, audit, attempts, store, policy, resets, mailer, background } = options
  if (!users.changePassword) return
  const changePassword = users.changePassword.bind(users)

  http.route({
    method: 'POST',
    url: '/api/auth/password',
    access: people,
    summary: "Changes the caller's password and ends all their other sessions",
    description: 'A password has 8 to 256 characters. Wrong tries count like wrong tries to sign in.',
    tag,
    body,
    response: { 200: successSchema },
    async handler({ principal, body: { currentPassword, newPassword }, ip, requestId }) {
      const session = sessionOf(principal)
      await policy.assertAcceptable(newPassword, '/newPassword')
      const user = await users.findById(principal.id)
      if (!user) throw coreErrors.INVALID_CREDENTIALS()
      const target = { type: 'user', id: user.id }
      const verified = await attempts.run({ account: normaliseEmail(user.email), ip }, () =>
        users.verifyPassword(user.email, currentPassword),
      )
      if (verified?.id !== user.id) {
        await audit.record({ action: 'password.refused', actor: principal, target, ip, requestId })
        throw authErrors.PASSWORD_WRONG()
      }
      const changed = await changePassword(user.id, newPassword)
      if (!changed) throw coreErrors.INVALID_CREDENTIALS()
      await store.renew(changed, session.id)
      await resets.revoke(changed.id)
      await audit.record({ action: 'password.changed', actor: principal, target, ip, requestId })
      const { publicUrl } = http
      background.run('telling of a new password', () =>
        mailer.send(passwordChangedMail({ to: changed.email, publicUrl })),
      )
      return { success: true }
    },
  })
}
