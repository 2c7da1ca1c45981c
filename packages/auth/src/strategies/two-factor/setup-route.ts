import { coreErrors } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { people } from '../session/route-options.js'
import { type TwoFactorRouteOptions, tag } from './route-options.js'
import type { Secrets } from './secrets.js'
import { newTotpSecret, toOtpauthUrl } from './totp.js'

const ttlSeconds = 900

const answer = Type.Object({
  secret: Type.String({ description: 'Base32, 160 bits' }),
  otpauth_url: Type.String({ description: 'The same for a QR code' }),
})

/** `GET /api/auth/2fa/setup`: a secret for the caller's authenticator app, in force once a code proves it. */
export function registerSetupRoute(options: TwoFactorRouteOptions, secrets: Secrets, issuer: string): void {
  const { http, users, audit, signIn, store } = options
  http.route({
    method: 'GET',
    url: '/api/auth/2fa/setup',
    access: people,
    summary: 'Makes a secret for an authenticator app',
    description:
      'The secret is shown this once, and is in force when a code of it comes to `/api/auth/2fa/verify` within 15 minutes; ' +
      'until then the one in force, if any, stays. Another call makes another secret. Needs a fresh sign-in.',
    tag,
    response: { 200: answer },
    async handler(context) {
      const { principal, ip, requestId } = context
      signIn.assertUnforged(context)
      await signIn.assertFresh(principal)
      const user = await users.findById(principal.id)
      if (!user) throw coreErrors.INVALID_CREDENTIALS()
      const secret = newTotpSecret()
      await store.beginSetup(user.id, secrets.seal(secret, user.id).sealed, ttlSeconds)
      const target = { type: 'user', id: user.id }
      await audit.record({ action: 'two-factor.setup-started', actor: principal, target, ip, requestId })
      return { secret, otpauth_url: toOtpauthUrl(secret, issuer, user.email) }
    },
  })
}
