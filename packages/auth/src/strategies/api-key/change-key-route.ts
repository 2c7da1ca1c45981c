import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { nameSchema } from '../../input.js'
import {
  allowedIpsSchema,
  assertAllowedIps,
  expirySchema,
  permissionsSchema,
  readExpiry,
  readPermissions,
} from './input.js'
import { assertMayGive, assertWithinOwn, findTarget } from './key-rules.js'
import { type ApiKeyRouteOptions, freshCaller, recordKey, tag } from './route-options.js'
import { apiKeyViewSchema, toApiKeyView } from './views.js'

const body = Type.Partial(
  Type.Object({
    name: nameSchema,
    permissions: permissionsSchema,
    expiresAt: Type.Union([expirySchema, Type.Null()]),
    allowedIps: allowedIpsSchema,
  }),
  { additionalProperties: false, minProperties: 1 },
)

/** `PATCH /api/apikeys/:id`. */
export function registerChangeKeyRoute(options: ApiKeyRouteOptions): void {
  const { http, users, store, cache, usage } = options

  http.route({
    method: 'PATCH',
    url: '/api/apikeys/:id',
    access: 'authenticated',
    summary: 'Changes an API key, in force at once',
    description:
      "Another's only for a holder of `apikeys:write` or `users:write`. Nobody changes a key that may do what they may " +
      'not. `expiresAt: null` lifts the end.',
    tag,
    params: Type.Object({ id: Type.String() }),
    body,
    response: { 200: Type.Object({ success: Type.Boolean(), entry: apiKeyViewSchema }) },
    async handler(context) {
      const given = context.body
      const expiresAt = typeof given.expiresAt === 'string' ? readExpiry(given.expiresAt) : given.expiresAt
      assertAllowedIps(given.allowedIps ?? [])

      const caller = await freshCaller(options, context)
      const { record, owner } = await findTarget(caller, context.params.id, store, users, options.scopes())
      const fields = {
        name: given.name ?? record.name,
        permissions: given.permissions ? readPermissions(record.type, given.permissions) : record.permissions,
        allowedIps: given.allowedIps ?? record.allowedIps,
        expiresAt: expiresAt === undefined ? record.expiresAt : expiresAt,
      }
      if (given.permissions) assertMayGive(caller, record.type, fields.permissions, owner, options.scopes())
      assertWithinOwn(caller, fields)

      const changed = await store.change(record, fields)
      await cache.end({ ids: [record.id] })
      if (!changed) throw authErrors.API_KEY_CHANGED()
      await recordKey(options, 'apikey.changed', changed, context, { ...given })
      return { success: true, entry: toApiKeyView(changed, usage) }
    },
  })
}
