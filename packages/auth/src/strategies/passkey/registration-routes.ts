import { coreErrors, type RouteContext } from '@sallyport/core'
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { nameSchema } from '../../input.js'
import { people } from '../session/route-options.js'
import { creationOptionsSchema } from './options-schema.js'
import { maxPasskeysPerUser } from './passkey-store.js'
import { passkeyViewSchema, toPasskeyView } from './passkey-view.js'
import { registrationResponseSchema } from './response-schema.js'
import { type PasskeyRouteOptions, tag } from './route-options.js'

const defaultName = 'Passkey'

const body = Type.Object(
  { response: registrationResponseSchema, name: Type.Optional(nameSchema) },
  { additionalProperties: false },
)

/** `/api/auth/passkey/register-challenge` and `/api/auth/passkey/register`: a passkey more for the caller. */
export function registerRegistrationRoutes({ http, users, audit, registration, signIn }: PasskeyRouteOptions): void {
  const challenge = async (context: RouteContext<typeof people>): Promise<PublicKeyCredentialCreationOptionsJSON> => {
    const { principal } = context
    signIn.assertUnforged(context)
    await signIn.assertFresh(principal)
    const user = await users.findById(principal.id)
    if (!user) throw coreErrors.INVALID_CREDENTIALS()
    return registration.options(user)
  }
  const challengeRoute = {
    url: '/api/auth/passkey/register-challenge',
    access: people,
    summary: 'Begins to make a passkey',
    description:
      'Gives creation options (WebAuthn L3 JSON) for `PublicKeyCredential.parseCreationOptionsFromJSON`. They hold for ' +
      '5 minutes, for the caller, once; asking again ends the earlier ones. Needs a fresh sign-in.',
    tag,
    response: { 200: creationOptionsSchema },
    handler: challenge,
  } as const
  http.route({ ...challengeRoute, method: 'GET' })
  http.route({
    ...challengeRoute,
    method: 'POST',
    body: Type.Optional(Type.Object({}, { additionalProperties: false })),
  })

  http.route({
    method: 'POST',
    url: '/api/auth/passkey/register',
    access: people,
    summary: 'Stores a passkey that the browser made',
    description:
      '`response` is what `PublicKeyCredential.toJSON()` gives after `navigator.credentials.create`. Needs a fresh ' +
      `sign-in. 409 for a passkey that is registered already, and beyond ${maxPasskeysPerUser} passkeys.`,
    tag,
    body,
    response: { 200: Type.Object({ verified: Type.Literal(true), passkey: passkeyViewSchema }) },
    async handler({ principal, body: { response, name = defaultName }, ip, requestId }) {
      await signIn.assertFresh(principal)
      const result = await registration.complete(principal.id, response, name)
      if (result.kind === 'added') {
        const { passkey } = result
        const { id, deviceType, backedUp, aaguid } = passkey
        const target = { type: 'passkey', id }
        const data = { name, deviceType, backedUp, aaguid }
        await audit.record({ action: 'passkey.registered', actor: principal, target, ip, requestId, data })
        return { verified: true, passkey: toPasskeyView(passkey) }
      }
      const refusal = result.kind === 'refused' ? result : { reason: result.kind, data: {} }
      const data = { reason: refusal.reason, ...refusal.data }
      await audit.record({ action: 'passkey.registration-refused', actor: principal, ip, requestId, data })
      if (result.kind === 'taken') throw authErrors.PASSKEY_TAKEN()
      if (result.kind === 'full') throw authErrors.TOO_MANY_PASSKEYS({ limit: maxPasskeysPerUser })
      throw authErrors.PASSKEY_REFUSED()
    },
  })
}
