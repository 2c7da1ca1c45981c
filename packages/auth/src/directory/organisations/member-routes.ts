import { Type } from '@sinclair/typebox'
import { memberViewSchema, type Role, roleSchema } from './organisation-view.js'
import { createRecorder, type OrganisationRoutesOptions, success, tag } from './route-options.js'

const body = Type.Object({ role: Type.Unsafe<Role>(roleSchema) }, { additionalProperties: false })
const byIds = Type.Object({ id: Type.String(), userId: Type.String() })

/** `/api/organisations/:id/members/:userId`. */
export function registerMemberRoutes({ http, members, audit }: OrganisationRoutesOptions): void {
  const record = createRecorder(audit)

  http.route({
    method: 'PUT',
    url: '/api/organisations/:id/members/:userId',
    access: 'authenticated',
    summary: "Adds a member, or changes a member's role",
    description: 'For admins and owners. An admin makes and removes no owner, and the last owner stays one.',
    tag,
    params: byIds,
    body,
    response: { 200: Type.Object({ member: memberViewSchema }) },
    async handler(context) {
      const { id, userId } = context.params
      const { member, previous } = await members.put(context.principal, id, userId, context.body.role)
      const action = previous === null ? 'organisation.member-added' : 'organisation.member-changed'
      await record(action, id, context, { userId, role: member.role, previous })
      return { member }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/organisations/:id/members/:userId',
    access: 'authenticated',
    summary: 'Removes a member, oneself too',
    tag,
    params: byIds,
    response: { 200: success },
    async handler(context) {
      const { id, userId } = context.params
      const previous = await members.remove(context.principal, id, userId)
      await record('organisation.member-removed', id, context, { userId, previous })
      return { success: true }
    },
  })
}
