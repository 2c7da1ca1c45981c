import { people, type SessionRouteOptions, sessionOf, tag } from './route-options.js'
import { clearSessionCookie } from './session-cookie.js'
import { successSchema } from './views.js'

/** `POST /api/auth/logout`: ends the request's own session. */
export function registerLogoutRoute({ http, store, audit }: SessionRouteOptions): void {
  http.route({
    method: 'POST',
    url: '/api/auth/logout',
    access: people,
    summary: 'Signs out',
    description: 'The token is dead at once, on every instance of the panel.',
    tag,
    response: { 200: successSchema },
    async handler({ principal, ip, requestId, reply }) {
      const { id } = sessionOf(principal)
      await store.revoke(principal.id, id)
      const target = { type: 'session', id }
      await audit.record({ action: 'session.ended', actor: principal, target, ip, requestId })
      clearSessionCookie(reply, http.publicUrl)
      return { success: true }
    },
  })
}
