import { Type } from '@sinclair/typebox'
import { normaliseEmail } from '../../email.js'
import { authErrors } from '../../errors.js'
import { assertEmail, emailSchema, passwordSchema } from '../../input.js'
import { type SessionRouteOptions, tag } from './route-options.js'
import { accountViewSchema } from './views.js'

const body = Type.Object({ email: emailSchema, password: passwordSchema }, { additionalProperties: false })
const answer = Type.Union([
  Type.Object({ token: Type.String(), user: accountViewSchema }),
  Type.Object({
    twoFactorRequired: Type.Literal(true),
    tempToken: Type.String(),
    methods: Type.Array(Type.String()),
  }),
])

/** `POST /api/auth/login`: e-mail and password for a session. */
export function registerLoginRoute({ http, users, attempts, refusals, signIn }: SessionRouteOptions): void {
  http.route({
    method: 'POST',
    url: '/api/auth/login',
    access: 'public',
    summary: 'Signs in by e-mail and password',
    description:
      'Gives a session token, to be sent as `Authorization: Bearer`, and sets it as the cookie `session`; or, with a ' +
      'second factor set up, a `tempToken` for the next step. The answer is the same for a wrong password, an unknown ' +
      'e-mail address and a suspended user.',
    tag,
    body,
    response: { 200: answer },
    async handler(context) {
      const startedAt = performance.now()
      // Else another site could sign its visitors in to an account that it reads.
      signIn.assertSameSite(context)
      const { email, password } = context.body
      assertEmail(email)
      const user = await attempts.run({ account: normaliseEmail(email), ip: context.ip }, async () => {
        const verified = await users.verifyPassword(email, password)
        return verified?.suspended ? undefined : verified
      })
      if (!user) {
        await signIn.recordRefusal(context, { email, method: 'password' })
        await refusals.wait(startedAt)
        throw authErrors.LOGIN_REFUSED()
      }
      return signIn.completeFirstFactor(user, 'password', context)
    },
  })
}
