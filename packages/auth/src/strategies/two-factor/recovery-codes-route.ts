import { Type } from '@sinclair/typebox'
import { assertFreshSession } from '../../sign-in/fresh.js'
import { people } from '../session/route-options.js'
import { assertOn, codeSchema, type TwoFactorRouteOptions, tag, tryCode } from './route-options.js'
import { recoveryCodesAnswer } from './verify-route.js'

const body = Type.Object({ token: codeSchema }, { additionalProperties: false })

/** `POST /api/auth/2fa/recovery-codes`: ten new ones in the place of all others. */
export function registerRecoveryCodesRoute(options: TwoFactorRouteOptions): void {
  const { http, audit, database, store, proofs } = options
  http.route({
    method: 'POST',
    url: '/api/auth/2fa/recovery-codes',
    access: people,
    summary: 'Makes new recovery codes; all earlier ones end',
    description: 'Takes a code of the authenticator app. Needs a fresh sign-in.',
    tag,
    body,
    response: { 200: recoveryCodesAnswer },
    async handler(context) {
      const { principal, ip, requestId } = context
      // That the session is fresh is enough: the second factor is in the body.
      assertFreshSession(principal)
      await assertOn(options, principal.id)
      const recoveryCodes = await tryCode(options, context, async () => {
        const proof = await proofs.totp(principal.id, context.body.token)
        if (!proof) return undefined
        return database.transaction(async (transaction) => {
          await store.lock(principal.id, transaction)
          if (!(await proof.use(transaction))) return undefined
          return store.replaceRecoveryCodes(principal.id, transaction)
        })
      })
      const target = { type: 'user', id: principal.id }
      await audit.record({ action: 'two-factor.recovery-codes-replaced', actor: principal, target, ip, requestId })
      return { recoveryCodes }
    },
  })
}
