import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { assertEmail, emailSchema } from '../../input.js'
import type { SignInRequest } from '../../sign-in/sign-in.js'
import { accountViewSchema } from '../session/views.js'
import { requestOptionsSchema } from './options-schema.js'
import { assertionResponseSchema } from './response-schema.js'
import { type PasskeyRouteOptions, tag } from './route-options.js'

const emailOnly = Type.Object({ email: Type.Optional(emailSchema) }, { additionalProperties: false })
const body = Type.Object({ response: assertionResponseSchema }, { additionalProperties: false })
const signedIn = Type.Object({ token: Type.String(), user: accountViewSchema })

/** `/api/auth/passkey/authenticate-challenge` and `/api/auth/passkey/authenticate`: a passkey for a session. */
export function registerAuthenticationRoutes(options: PasskeyRouteOptions): void {
  const { http, authentication, challenges, relyingParty, signIn } = options

  const challenge = (email: string | undefined): Promise<PublicKeyCredentialRequestOptionsJSON> => {
    if (email !== undefined) assertEmail(email)
    return authentication.options(email)
  }
  const challengeRoute = {
    url: '/api/auth/passkey/authenticate-challenge',
    access: 'public',
    summary: 'Begins to sign in by a passkey',
    description:
      'Gives request options (WebAuthn L3 JSON) for `PublicKeyCredential.parseRequestOptionsFromJSON`, good for 5 minutes ' +
      'and once. With `email` no other user’s passkey will do; the answer says nothing about whether there is one.',
    tag,
    response: { 200: requestOptionsSchema },
    rateLimit: challenges,
  } as const
  http.route({ ...challengeRoute, method: 'GET', query: emailOnly, handler: ({ query }) => challenge(query.email) })
  http.route({
    ...challengeRoute,
    method: 'POST',
    body: Type.Optional(emailOnly),
    handler: (context) => challenge(context.body.email),
  })

  /** Pages of the configured origins are the panel's own, wherever its public URL is. */
  const assertOwnPage = (request: SignInRequest): void => {
    const { origin, 'sec-fetch-site': site } = request.request.headers
    const own = origin !== undefined && relyingParty().origins.includes(origin)
    if (!own || site === 'cross-site') signIn.assertSameSite(request)
  }

  http.route({
    method: 'POST',
    url: '/api/auth/passkey/authenticate',
    access: 'public',
    summary: 'Signs in by a passkey',
    description:
      '`response` is what `PublicKeyCredential.toJSON()` gives after `navigator.credentials.get`. Gives a session token and ' +
      'sets it as the cookie `session`. No second factor is asked for: the authenticator has verified its user.',
    tag,
    body,
    response: { 200: signedIn },
    async handler(context) {
      // Else another site could sign its visitors in to an account that it reads.
      assertOwnPage(context)
      const proof = await authentication.prove(context.body.response, context)
      if (proof.kind === 'refused') {
        await signIn.recordRefusal(context, { method: 'passkey', reason: proof.reason, ...proof.data })
        throw authErrors.PASSKEY_REFUSED()
      }
      return signIn.complete(proof.user, ['passkey'], context)
    },
  })
}
