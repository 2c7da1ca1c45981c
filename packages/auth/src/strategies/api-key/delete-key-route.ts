import { coreErrors } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { findTarget } from './key-rules.js'
import { type ApiKeyRouteOptions, freshCaller, recordKey, tag } from './route-options.js'

/** `DELETE /api/apikeys/:id`. */
export function registerDeleteKeyRoute(options: ApiKeyRouteOptions): void {
  const { http, users, store, cache } = options

  http.route({
    method: 'DELETE',
    url: '/api/apikeys/:id',
    access: 'authenticated',
    summary: 'Deletes an API key; it is dead at once, and so are the keys that were made by it',
    tag,
    params: Type.Object({ id: Type.String() }),
    response: { 200: Type.Object({ success: Type.Boolean() }) },
    async handler(context) {
      const caller = await freshCaller(options, context)
      const { record } = await findTarget(caller, context.params.id, store, users, options.scopes())
      const removed = await store.remove(record.id)
      await cache.end({ ids: [record.id] })
      // Another request was first.
      if (!removed) throw coreErrors.NOT_FOUND()
      await recordKey(options, 'apikey.deleted', record, context)
      return { success: true }
    },
  })
}
