import { coreErrors, type Principal } from '@sallyport/core'
import { type Static, Type } from '@sinclair/typebox'
import { normaliseEmail } from '../email.js'
import { authErrors } from '../errors.js'
import { passwordSchema, refuse } from '../input.js'
import { people, type SessionRouteOptions, sessionOf, tag } from '../strategies/session/route-options.js'
import { successSchema } from '../strategies/session/views.js'
import { isStrong } from './create-sign-in.js'
import type { SignInMethod, SignInRequest } from './sign-in.js'

const maxTokenLength = 100

const body = Type.Object(
  {
    password: Type.Optional(passwordSchema),
    token: Type.Optional(Type.String({ minLength: 1, maxLength: maxTokenLength })),
    response: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
)

/** `POST /api/auth/reauthenticate`: what is delicate is open for 10 minutes afterwards. */
export function registerReauthenticateRoute(options: SessionRouteOptions): void {
  const { http, users, audit, attempts, store, signIn } = options

  const prove = async (
    { id }: Principal,
    given: Static<typeof body>,
    request: SignInRequest,
  ): Promise<SignInMethod | undefined> => {
    const user = await users.findById(id)
    if (!user) throw coreErrors.INVALID_CREDENTIALS()
    if (given.password !== undefined) {
      const { password } = given
      const attempt = { account: normaliseEmail(user.email), ip: request.ip }
      const verified = await attempts.run(attempt, () => users.verifyPassword(user.email, password))
      return verified?.id === id ? 'password' : undefined
    }
    const field = given.token === undefined ? 'response' : 'token'
    const proof = signIn.proof(field)
    if (!proof) throw refuse(`/${field}`, 'is not in use on this panel')
    return proof.verify(user, given[field], request)
  }

  http.route({
    method: 'POST',
    url: '/api/auth/reauthenticate',
    access: people,
    summary: 'Proves again who the caller is',
    description:
      'By password, by a code of the authenticator app (`token`) or by a passkey (`response`). Delicate actions are then ' +
      'open for 10 minutes. For somebody with a second factor a password is enough only in a session that the second ' +
      'factor has been shown in.',
    tag,
    body,
    response: { 200: successSchema },
    async handler(context) {
      const { principal, ip, requestId } = context
      const session = sessionOf(principal)
      const target = { type: 'session', id: session.id }
      const method = await prove(principal, context.body, context)
      if (method === undefined) {
        await audit.record({ action: 'session.reauthentication-refused', actor: principal, target, ip, requestId })
        throw authErrors.REAUTHENTICATION_REFUSED()
      }
      const methods = [...new Set([...session.methods, method])]
      if (!methods.some(isStrong) && (await signIn.hasSecondFactor(principal.id))) {
        throw authErrors.SECOND_FACTOR_REQUIRED()
      }
      if (!(await store.freshen(principal.id, session.id, methods))) throw coreErrors.INVALID_CREDENTIALS()
      await audit.record({
        action: 'session.reauthenticated',
        actor: principal,
        target,
        ip,
        requestId,
        data: { method },
      })
      return { success: true }
    },
  })
}
