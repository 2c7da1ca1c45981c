import type { Audit, Http, Principal } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { assertEmail, assertPermissions, emailSchema, nameSchema, passwordSchema } from '../input.js'
import type { PasswordPolicy } from '../password-policy.js'
import { assertFreshSession } from '../sign-in/fresh.js'
import { pageSchema } from './page.js'
import { quotaChangeSchema } from './quotas.js'
import { userViewSchema } from './user-view.js'
import type { NewUser, Users } from './users.js'

const tag = 'Users'
const maxPermissions = 200

const fields = {
  email: emailSchema,
  password: passwordSchema,
  name: Type.Union([nameSchema, Type.Null()]),
  permissions: Type.Array(Type.String(), { maxItems: maxPermissions, uniqueItems: true }),
}
const creation = Type.Object(
  { ...fields, name: Type.Optional(fields.name), permissions: Type.Optional(fields.permissions) },
  { additionalProperties: false },
)
const change = Type.Partial(Type.Object({ ...fields, suspended: Type.Boolean(), quotas: quotaChangeSchema }), {
  additionalProperties: false,
  minProperties: 1,
})
const byId = Type.Object({ id: Type.String() })
const one = Type.Object({ user: userViewSchema })
const success = Type.Object({ success: Type.Boolean() })

interface UserRoutesOptions {
  readonly http: Http
  readonly users: Users
  readonly audit: Audit
  readonly policy: PasswordPolicy
}

/** `/api/users`: the built-in directory's users, for holders of `users:read` and `users:write`. */
export function registerUserRoutes({ http, users, audit, policy }: UserRoutesOptions): void {
  const record = (
    action: string,
    id: string,
    { principal, ip, requestId }: { principal: Principal; ip: string; requestId: string },
    data?: Readonly<Record<string, unknown>>,
  ): Promise<void> =>
    audit.record({ action, actor: principal, target: { type: 'user', id }, ip, requestId, ...(data && { data }) })

  const assertFields = async ({ email, password, permissions }: Partial<NewUser>): Promise<void> => {
    if (email !== undefined) assertEmail(email)
    if (permissions !== undefined) assertPermissions(permissions)
    if (password !== undefined) await policy.assertAcceptable(password, '/password')
  }

  http.route({
    method: 'GET',
    url: '/api/users',
    access: { permission: 'users:read' },
    summary: 'Lists users, oldest first',
    tag,
    query: pageSchema,
    response: { 200: Type.Object({ users: Type.Array(userViewSchema), total: Type.Integer() }) },
    handler: ({ query }) => users.list(query),
  })

  http.route({
    method: 'POST',
    url: '/api/users',
    access: { permission: 'users:write' },
    summary: 'Makes a user',
    description: 'Nobody grants a permission that they do not hold.',
    tag,
    body: creation,
    response: { 201: one },
    async handler(context) {
      await assertFields(context.body)
      const user = await users.create(context.principal, context.body)
      await record('user.created', user.id, context, { email: user.email, permissions: user.permissions })
      context.reply.code(201)
      return { user }
    },
  })

  http.route({
    method: 'GET',
    url: '/api/users/:id',
    access: { permission: 'users:read' },
    summary: 'Gives one user',
    tag,
    params: byId,
    response: { 200: one },
    handler: async ({ params }) => ({ user: await users.get(params.id) }),
  })

  http.route({
    method: 'PATCH',
    url: '/api/users/:id',
    access: { permission: 'users:write' },
    summary: 'Changes a user',
    description:
      'A suspension or a new password ends every session of the user at once, for good; a suspension their API keys ' +
      'too. A new e-mail address or password needs a fresh sign-in. Quotas are merged, `null` lifts one or all.',
    tag,
    params: byId,
    body: change,
    response: { 200: one },
    async handler(context) {
      // Whoever chooses the password takes the account, and so does who changes the address: mail to it gives a new one.
      const { email, password } = context.body
      if (email !== undefined || password !== undefined) assertFreshSession(context.principal)
      await assertFields(context.body)
      const user = await users.update(context.principal, context.params.id, context.body)
      const { password: _, ...shown } = context.body
      const data = { ...shown, ...(password !== undefined && { passwordChanged: true }) }
      await record('user.changed', user.id, context, data)
      return { user }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/users/:id',
    access: { permission: 'users:write' },
    summary: 'Deletes a user and ends everything of theirs',
    description:
      'Organisations that have no other member are deleted too; one that would be left without an owner is 409 `last_owner`.',
    tag,
    params: byId,
    response: { 200: success },
    async handler(context) {
      const { id, organisations } = await users.remove(context.principal, context.params.id)
      await record('user.deleted', id, context, organisations.length > 0 ? { organisations } : undefined)
      return { success: true }
    },
  })
}
