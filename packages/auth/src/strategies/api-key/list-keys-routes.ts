import { coreErrors } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { maySeeAll } from './key-rules.js'
import { type ApiKeyRouteOptions, tag } from './route-options.js'
import { apiKeyViewSchema, toApiKeyView } from './views.js'

const maxPageLength = 500
const defaultPageLength = 100
const maxOffset = 1_000_000
/** Of a user's own, which `maxKeysPerUser` bounds too. */
const maxOwn = 1_000

const page = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: maxPageLength, default: defaultPageLength }),
    offset: Type.Integer({ minimum: 0, maximum: maxOffset, default: 0 }),
  },
  { additionalProperties: false },
)
const list = Type.Object({ apiKeys: Type.Array(apiKeyViewSchema), total: Type.Integer() })

/** `GET /api/apikeys`, `/api/apikeys/my` and `/api/apikeys/:id`. */
export function registerListKeysRoutes({ http, store, usage }: ApiKeyRouteOptions): void {
  http.route({
    method: 'GET',
    url: '/api/apikeys/my',
    access: 'authenticated',
    summary: "Lists the caller's API keys, newest first",
    tag,
    response: { 200: list },
    async handler({ principal: { userId } }) {
      if (userId === undefined) return { apiKeys: [], total: 0 }
      const { keys, total } = await store.list({ userId, limit: maxOwn, offset: 0 })
      return { apiKeys: keys.map((key) => toApiKeyView(key, usage)), total }
    },
  })

  http.route({
    method: 'GET',
    url: '/api/apikeys',
    access: { permission: 'apikeys:read' },
    summary: "Lists everybody's API keys, newest first",
    tag,
    query: page,
    response: { 200: list },
    async handler({ query }) {
      const { keys, total } = await store.list(query)
      return { apiKeys: keys.map((key) => toApiKeyView(key, usage)), total }
    },
  })

  http.route({
    method: 'GET',
    url: '/api/apikeys/:id',
    access: 'authenticated',
    summary: 'Gives one API key',
    description: "Another's only to a holder of `apikeys:read`.",
    tag,
    params: Type.Object({ id: Type.String() }),
    response: { 200: Type.Object({ entry: apiKeyViewSchema }) },
    async handler({ principal: { userId, permissions }, params }) {
      const record = await store.findById(params.id)
      const isOwn = record !== undefined && record.userId === userId
      if (!record || !(isOwn || maySeeAll(permissions, 'read'))) throw coreErrors.NOT_FOUND()
      return { entry: toApiKeyView(record, usage) }
    },
  })
}
