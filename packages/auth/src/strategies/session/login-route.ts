import { Type } from '@sinclair/typebox'
import { isCrossSite } from '../../cross-site.js'
import { authErrors } from '../../errors.js'
import { assertEmail, emailSchema, passwordSchema } from '../../input.js'
import { type SessionRouteOptions, tag } from './route-options.js'
import { setSessionCookie } from './session-cookie.js'
import { accountViewSchema, toAccountView } from './views.js'

const body = Type.Object({ email: emailSchema, password: passwordSchema }, { additionalProperties: false })
const answer = Type.Object({ token: Type.String(), user: accountViewSchema })

/** `POST /api/auth/login`: e-mail and password for a session. */
export function registerLoginRoute(options: SessionRouteOptions): void {
  const { http, users, audit, attempts, store, cookieMaxAgeSeconds } = options

  http.route({
    method: 'POST',
    url: '/api/auth/login',
    access: 'public',
    summary: 'Signs in by e-mail and password',
    description:
      'Gives a session token, to be sent as `Authorization: Bearer`, and sets it as the cookie `session`. The answer is ' +
      'the same for a wrong password, an unknown e-mail address and a suspended user.',
    tag,
    body,
    response: { 200: answer },
    async handler({ body: { email, password }, ip, requestId, request, reply }) {
      // Else another site could sign its visitors in to an account that it reads.
      if (isCrossSite(request, http.publicUrl)) throw authErrors.CROSS_SITE_REQUEST()
      assertEmail(email)
      const user = await attempts.run({ email, ip }, async () => {
        const verified = await users.verifyPassword(email, password)
        return verified?.suspended ? undefined : verified
      })
      if (!user) {
        await audit.record({ action: 'session.refused', ip, requestId, data: { email } })
        throw authErrors.LOGIN_REFUSED()
      }
      const userAgent = request.headers['user-agent']
      const { token, session } = await store.begin(user, { ip, userAgent })
      await audit.record({
        action: 'session.created',
        target: { type: 'session', id: session.id },
        ip,
        requestId,
        data: { userId: user.id, email: user.email, method: 'password' },
      })
      setSessionCookie(reply, token, { publicUrl: http.publicUrl, maxAgeSeconds: cookieMaxAgeSeconds })
      return { token, user: toAccountView(user) }
    },
  })
}
