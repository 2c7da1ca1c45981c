import { Type } from '@sinclair/typebox'
import { normaliseEmail } from '../../email.js'
import { assertEmail, emailSchema } from '../../input.js'
import { type SessionRouteOptions, tag } from './route-options.js'
import { successSchema } from './views.js'

const body = Type.Object({ email: emailSchema }, { additionalProperties: false })

/** `POST /api/auth/password-reset/request`; not there when the host's own users keep their passwords to themselves. */
export function registerPasswordResetRequestRoute(options: SessionRouteOptions): void {
  const { http, users, resets, resetRequests, background } = options
  if (!users.changePassword) return

  http.route({
    method: 'POST',
    url: '/api/auth/password-reset/request',
    access: 'public',
    summary: 'Sends a link by which a new password is chosen',
    description:
      'The answer is the same whether there is such a user or not, and comes before that is looked up. The link works ' +
      'once, for 30 minutes; another one ends it.',
    tag,
    body,
    response: { 200: successSchema },
    async handler({ body: { email }, ip, requestId }) {
      assertEmail(email)
      await resetRequests.take({ account: normaliseEmail(email), ip })
      background.run('sending the link for a new password', () => resets.sendLink({ email, ip, requestId }))
      return { success: true }
    },
  })
}
