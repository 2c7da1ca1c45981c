import { Type } from '@sinclair/typebox'
import { assertFreshSession } from '../../sign-in/fresh.js'
import { people } from '../session/route-options.js'
import { successSchema } from '../session/views.js'
import {
  assertOn,
  assertOne,
  codeSchema,
  recoveryCodeSchema,
  type TwoFactorRouteOptions,
  tag,
  tryCode,
} from './route-options.js'

const body = Type.Object(
  { token: Type.Optional(codeSchema), backupCode: Type.Optional(recoveryCodeSchema) },
  { additionalProperties: false },
)

/** `POST /api/auth/2fa/disable`. */
export function registerDisableRoute(options: TwoFactorRouteOptions): void {
  const { http, audit, database, store, proofs, tempTokens } = options
  http.route({
    method: 'POST',
    url: '/api/auth/2fa/disable',
    access: people,
    summary: "Turns the caller's two-factor sign-in off",
    description:
      'Takes a code of the authenticator app or a recovery code, exactly one. The secret and the recovery codes are ' +
      'deleted. Needs a fresh sign-in.',
    tag,
    body,
    response: { 200: successSchema },
    async handler(context) {
      const { principal, ip, requestId } = context
      const { token, backupCode } = context.body
      assertOne(context.body, ['token', 'backupCode'])
      // That the session is fresh is enough: the second factor is in the body.
      assertFreshSession(principal)
      await assertOn(options, principal.id)
      const method = await tryCode(options, context, async () => {
        const { id } = principal
        const proof = token === undefined ? proofs.recoveryCode(id, backupCode ?? '') : await proofs.totp(id, token)
        if (!proof) return undefined
        return database.transaction(async (transaction) => {
          await store.lock(id, transaction)
          if (!(await proof.use(transaction))) return undefined
          await store.remove(id, transaction)
          return proof.method
        })
      })
      await tempTokens.revokeAll(principal.id)
      const target = { type: 'user', id: principal.id }
      await audit.record({ action: 'two-factor.disabled', actor: principal, target, ip, requestId, data: { method } })
      return { success: true }
    },
  })
}
