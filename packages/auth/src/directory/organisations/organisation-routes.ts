import { Type } from '@sinclair/typebox'
import { nameSchema } from '../../input.js'
import { pageSchema } from '../page.js'
import { quotaChangeSchema } from '../quotas.js'
import { registerMemberRoutes } from './member-routes.js'
import { memberViewSchema, organisationViewSchema } from './organisation-view.js'
import { byId, createRecorder, type OrganisationRoutesOptions, success, tag } from './route-options.js'

const creation = Type.Object({ name: nameSchema }, { additionalProperties: false })
const change = Type.Partial(Type.Object({ name: nameSchema, quotas: quotaChangeSchema }), {
  additionalProperties: false,
  minProperties: 1,
})
const one = Type.Object({ organisation: organisationViewSchema })

/** `/api/organisations`: for their members, and for holders of `organisations:read` and `organisations:write`. */
export function registerOrganisationRoutes(options: OrganisationRoutesOptions): void {
  const { http, organisations, audit } = options
  const record = createRecorder(audit)

  http.route({
    method: 'GET',
    url: '/api/organisations',
    access: 'authenticated',
    summary: "Lists the caller's organisations; for holders of organisations:read all, oldest first",
    tag,
    query: pageSchema,
    response: { 200: Type.Object({ organisations: Type.Array(organisationViewSchema), total: Type.Integer() }) },
    handler: ({ principal, query }) => organisations.list(principal, query),
  })

  http.route({
    method: 'POST',
    url: '/api/organisations',
    access: 'authenticated',
    summary: 'Makes an organisation that the caller owns',
    description: 'An API key needs the permission organisations:write, and makes it for its owner.',
    tag,
    body: creation,
    response: { 201: one },
    async handler(context) {
      const organisation = await organisations.create(context.principal, context.body)
      await record('organisation.created', organisation.id, context, { name: organisation.name })
      context.reply.code(201)
      return { organisation }
    },
  })

  http.route({
    method: 'GET',
    url: '/api/organisations/:id',
    access: 'authenticated',
    summary: 'Gives one organisation and its members',
    tag,
    params: byId,
    response: { 200: Type.Object({ organisation: organisationViewSchema, members: Type.Array(memberViewSchema) }) },
    handler: ({ principal, params }) => organisations.get(principal, params.id),
  })

  http.route({
    method: 'PATCH',
    url: '/api/organisations/:id',
    access: 'authenticated',
    summary: "Changes an organisation's name or quotas",
    description: 'Admins and owners change the name, holders of organisations:write the quotas too.',
    tag,
    params: byId,
    body: change,
    response: { 200: one },
    async handler(context) {
      const organisation = await organisations.update(context.principal, context.params.id, context.body)
      await record('organisation.changed', organisation.id, context, context.body)
      return { organisation }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/organisations/:id',
    access: 'authenticated',
    summary: 'Deletes an organisation: for its owners, and for holders of organisations:write',
    tag,
    params: byId,
    response: { 200: success },
    async handler(context) {
      await organisations.remove(context.principal, context.params.id)
      await record('organisation.deleted', context.params.id, context)
      return { success: true }
    },
  })

  registerMemberRoutes(options)
}
