import { coreErrors, type DirectoryUser, permits } from '@sallyport/core'
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
import { actingKey, assertMayActFor, assertMayGive, assertWithinOwn, type Caller, makerOf } from './key-rules.js'
import { maxChainLength } from './key-store.js'
import { digestOfKey, generateKey, prefixOfKey } from './key-text.js'
import { type ApiKeyRouteOptions, freshCaller, recordKey, tag } from './route-options.js'
import { shownKeySchema, toApiKeyView } from './views.js'

const maxUserIdLength = 200

const body = Type.Object(
  {
    name: nameSchema,
    type: Type.Union([Type.Literal('client'), Type.Literal('admin')]),
    permissions: Type.Optional(permissionsSchema),
    expiresAt: Type.Optional(expirySchema),
    userId: Type.Optional(
      Type.String({ minLength: 1, maxLength: maxUserIdLength, description: 'Its owner; default: the caller.' }),
    ),
    allowedIps: Type.Optional(allowedIpsSchema),
  },
  { additionalProperties: false },
)

/** `POST /api/apikeys`. */
export function registerCreateKeyRoute(options: ApiKeyRouteOptions): void {
  const { http, users, store, usage, maxKeysPerUser } = options

  const findOwner = async (caller: Caller, userId: string): Promise<DirectoryUser> => {
    const isOwn = userId === caller.userId
    if (!isOwn && !permits(caller.permissions, 'users:write')) {
      throw coreErrors.PERMISSION_REQUIRED({ permission: 'users:write' })
    }
    const owner = await users.findById(userId)
    if (!owner) throw isOwn ? coreErrors.INVALID_CREDENTIALS() : coreErrors.NOT_FOUND()
    if (owner.suspended) throw coreErrors.CONFLICT({ reason: 'The user is suspended' })
    return owner
  }

  http.route({
    method: 'POST',
    url: '/api/apikeys',
    access: 'authenticated',
    summary: 'Makes an API key and shows it, once',
    description:
      'A `client` key may do what its `permissions` say, and never more than its owner may at the time. Some permissions every ' +
      'user may give to a key of their own: within it they open what is its owner’s. Only a holder of ' +
      '`*` makes an `admin` key. One for another user (`userId`) needs `users:write`. Nobody gives a key what they do ' +
      'not hold; a key that makes another gives it no more than it has itself, and takes it along when it ends. A ' +
      'session must have been freshly authenticated.',
    tag,
    body,
    response: { 201: shownKeySchema },
    async handler(context) {
      const { name, type, userId } = context.body
      const permissions = readPermissions(type, context.body.permissions ?? [])
      const allowedIps = context.body.allowedIps ?? []
      assertAllowedIps(allowedIps)
      const expiresAt = context.body.expiresAt === undefined ? null : readExpiry(context.body.expiresAt)

      const caller = await freshCaller(options, context)
      const owner = await findOwner(caller, userId ?? caller.userId)
      assertMayGive(caller, type, permissions, owner, options.scopes())
      assertMayActFor(caller, owner)
      assertWithinOwn(caller, { expiresAt, allowedIps })
      if ((caller.key?.chain.length ?? 0) >= maxChainLength) throw authErrors.API_KEY_CHAIN_TOO_LONG()

      const apiKey = generateKey(type)
      const record = await store.create(
        {
          userId: owner.id,
          accessStamp: owner.accessStamp ?? null,
          type,
          name,
          permissions,
          allowedIps,
          expiresAt,
          digest: digestOfKey(apiKey),
          prefix: prefixOfKey(apiKey),
          ...(await makerOf(caller, owner.id, users)),
        },
        actingKey(caller),
        maxKeysPerUser,
      )
      await recordKey(options, 'apikey.created', record, context, { type, permissions, allowedIps, expiresAt })
      context.reply.code(201)
      return { success: true, apiKey, id: record.id, entry: toApiKeyView(record, usage) }
    },
  })
}
