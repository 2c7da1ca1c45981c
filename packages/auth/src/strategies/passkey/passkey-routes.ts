import { coreErrors } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { nameSchema } from '../../input.js'
import { people } from '../session/route-options.js'
import { successSchema } from '../session/views.js'
import { passkeyViewSchema, toPasskeyView } from './passkey-view.js'
import { type PasskeyRouteOptions, tag } from './route-options.js'

const byId = Type.Object({ id: Type.String() })
const change = Type.Object({ name: nameSchema }, { additionalProperties: false })

/** `/api/auth/passkeys`: what people see of their passkeys, and how they rename and remove them. */
export function registerPasskeyRoutes({ http, audit, signIn, store }: PasskeyRouteOptions): void {
  http.route({
    method: 'GET',
    url: '/api/auth/passkeys',
    access: people,
    summary: "Lists the caller's passkeys, oldest first",
    tag,
    response: { 200: Type.Object({ passkeys: Type.Array(passkeyViewSchema) }) },
    async handler({ principal }) {
      return { passkeys: (await store.list(principal.id)).map(toPasskeyView) }
    },
  })

  http.route({
    method: 'PATCH',
    url: '/api/auth/passkeys/:id',
    access: people,
    summary: "Renames one of the caller's passkeys",
    tag,
    params: byId,
    body: change,
    response: { 200: Type.Object({ passkey: passkeyViewSchema }) },
    async handler({ principal, params: { id }, body: { name }, ip, requestId }) {
      const passkey = await store.rename(principal.id, id, name)
      // Another's is not there, as far as the caller may know.
      if (!passkey) throw coreErrors.NOT_FOUND()
      const target = { type: 'passkey', id: passkey.id }
      await audit.record({ action: 'passkey.renamed', actor: principal, target, ip, requestId, data: { name } })
      return { passkey: toPasskeyView(passkey) }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/auth/passkeys/:id',
    access: people,
    summary: "Removes one of the caller's passkeys",
    description: 'It signs nobody in from then on. Needs a fresh sign-in.',
    tag,
    params: byId,
    response: { 200: successSchema },
    async handler({ principal, params: { id }, ip, requestId }) {
      await signIn.assertFresh(principal)
      const passkey = await store.remove(principal.id, id)
      if (!passkey) throw coreErrors.NOT_FOUND()
      const target = { type: 'passkey', id: passkey.id }
      const data = { name: passkey.name }
      await audit.record({ action: 'passkey.removed', actor: principal, target, ip, requestId, data })
      return { success: true }
    },
  })
}
