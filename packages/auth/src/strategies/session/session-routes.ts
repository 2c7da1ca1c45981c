import { coreErrors, type Principal } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { people, type SessionRouteOptions, sessionOf, tag } from './route-options.js'
import { clearSessionCookie } from './session-cookie.js'
import { accountViewSchema, sessionViewSchema, successSchema, toAccountView, toSessionView } from './views.js'

const presentSession = Type.Object({
  user: Type.Union([accountViewSchema, Type.Null()]),
  session: Type.Union([sessionViewSchema, Type.Null()]),
  authentication: Type.Object({
    strategy: Type.String(),
    kind: Type.Union([Type.Literal('user'), Type.Literal('apiKey'), Type.Literal('device')]),
    id: Type.String(),
    permissions: Type.Array(Type.String()),
  }),
})
const byId = Type.Object({ id: Type.String() })

/** `/api/auth/session` and `/api/auth/sessions`: what people see of their sessions, and how they end them. */
export function registerSessionRoutes({ http, users, store, audit }: SessionRouteOptions): void {
  const findUser = async ({ userId }: Principal) => (userId === undefined ? undefined : users.findById(userId))

  http.route({
    method: 'GET',
    url: '/api/auth/session',
    access: 'authenticated',
    summary: 'Says who makes the request, and how they are signed in',
    description: '`user` is null for credentials of nobody in particular, `session` for those that are no session.',
    tag,
    response: { 200: presentSession },
    async handler({ principal }) {
      const user = await findUser(principal)
      const session = principal.session && (await store.find(principal.session.id))
      const { strategy, kind, id, permissions } = principal
      return {
        user: user ? toAccountView(user) : null,
        session: session ? toSessionView(session, session.id) : null,
        authentication: { strategy, kind, id, permissions },
      }
    },
  })

  http.route({
    method: 'GET',
    url: '/api/auth/sessions',
    access: people,
    summary: "Lists the caller's sessions, latest used first",
    tag,
    response: { 200: Type.Object({ sessions: Type.Array(sessionViewSchema) }) },
    async handler({ principal }) {
      const user = await findUser(principal)
      const sessions = user ? await store.list(user) : []
      return { sessions: sessions.map((session) => toSessionView(session, principal.session?.id)) }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/auth/sessions/:id',
    access: people,
    summary: "Ends one of the caller's sessions",
    tag,
    params: byId,
    response: { 200: successSchema },
    async handler({ principal, params: { id }, ip, requestId, reply }) {
      // Another's is not there, as far as the caller may know.
      if (!(await store.revoke(principal.id, id))) throw coreErrors.NOT_FOUND()
      const target = { type: 'session', id }
      await audit.record({ action: 'session.revoked', actor: principal, target, ip, requestId })
      if (principal.session?.id === id.toLowerCase()) clearSessionCookie(reply, http.publicUrl)
      return { success: true }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/auth/sessions',
    access: people,
    summary: "Ends all of the caller's sessions but the present one",
    tag,
    response: { 200: Type.Object({ success: Type.Boolean(), revoked: Type.Integer() }) },
    async handler({ principal, ip, requestId }) {
      const revoked = await store.revokeOthers(principal.id, sessionOf(principal).id)
      const target = { type: 'user', id: principal.id }
      await audit.record({
        action: 'session.others-revoked',
        actor: principal,
        target,
        ip,
        requestId,
        data: { revoked },
      })
      return { success: true, revoked }
    },
  })
}
