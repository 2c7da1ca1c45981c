import { coreErrors, permitsAll } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { successSchema } from '../session/views.js'
import { type TwoFactorRouteOptions, tag } from './route-options.js'

/** `DELETE /api/users/:id/2fa`: for somebody who has lost app and recovery codes. */
export function registerRemoveRoute(options: TwoFactorRouteOptions): void {
  const { http, users, audit, database, signIn, store, tempTokens } = options
  http.route({
    method: 'DELETE',
    url: '/api/users/:id/2fa',
    access: { kinds: ['user'], permission: 'users:write' },
    summary: "Takes away a user's second factor",
    description:
      'For somebody who has lost it: their password alone then signs in. Of a holder of more permissions than the caller ' +
      'it is refused, and one turns off their own at `/api/auth/2fa/disable`. Needs a fresh sign-in.',
    tag,
    params: Type.Object({ id: Type.String() }),
    response: { 200: successSchema },
    async handler({ principal, params: { id }, ip, requestId }) {
      await signIn.assertFresh(principal)
      const user = await users.findById(id)
      if (!user) throw coreErrors.NOT_FOUND()
      if (!permitsAll(principal.permissions, user.permissions)) throw authErrors.USER_HOLDS_MORE()
      // That takes a code: who is at the administrator's keyboard for a moment does not have it.
      if (user.id === principal.id) throw authErrors.OWN_TWO_FACTOR()
      const removed = await database.transaction((transaction) => store.remove(user.id, transaction))
      await tempTokens.revokeAll(user.id)
      if (removed) {
        const target = { type: 'user', id: user.id }
        await audit.record({ action: 'two-factor.removed', actor: principal, target, ip, requestId })
      }
      return { success: true }
    },
  })
}
