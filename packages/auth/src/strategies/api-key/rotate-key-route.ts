import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import type { KeyMaker, KeyRecord } from './key-record.js'
import {
  actingKey,
  assertMayActFor,
  assertMayGive,
  assertWithinOwn,
  type Caller,
  findTarget,
  isMakerOf,
  makerOf,
} from './key-rules.js'
import { maxChainLength } from './key-store.js'
import { digestOfKey, generateKey, prefixOfKey } from './key-text.js'
import { type ApiKeyRouteOptions, freshCaller, recordKey, tag } from './route-options.js'
import { shownKeySchema, toApiKeyView } from './views.js'

/** `POST /api/apikeys/:id/rotate`. */
export function registerRotateKeyRoute(options: ApiKeyRouteOptions): void {
  const { http, users, store, cache, usage } = options

  /** Whoever rotates a key is shown it: from then on it is theirs as if they had made it. */
  const newMaker = (caller: Caller, record: KeyRecord): Promise<KeyMaker> | KeyRecord =>
    caller.key?.record.id === record.id ? record : makerOf(caller, record.userId, users)

  http.route({
    method: 'POST',
    url: '/api/apikeys/:id/rotate',
    access: 'authenticated',
    summary: 'Gives an API key a new secret and shows it, once; the old one is dead at once',
    description: 'With it end the keys that were made by it.',
    tag,
    params: Type.Object({ id: Type.String() }),
    response: { 200: shownKeySchema },
    async handler(context) {
      const caller = await freshCaller(options, context)
      const { record, owner } = await findTarget(caller, context.params.id, store, users, options.scopes())
      if (record.type === 'admin') assertMayGive(caller, record.type, record.permissions, owner, options.scopes())
      assertMayActFor(caller, owner)
      assertWithinOwn(caller, record)
      // One that made the caller's outlives it, and so has more.
      if (isMakerOf(record, caller)) throw authErrors.API_KEY_HOLDS_MORE()
      const isItself = caller.key?.record.id === record.id
      if (!isItself && (caller.key?.chain.length ?? 0) >= maxChainLength) throw authErrors.API_KEY_CHAIN_TOO_LONG()

      const apiKey = generateKey(record.type)
      const secret = { digest: digestOfKey(apiKey), prefix: prefixOfKey(apiKey), ...(await newMaker(caller, record)) }
      const rotated = await store.rotate(record, secret, actingKey(caller))
      await cache.end({ ids: [record.id] })
      if (!rotated) throw authErrors.API_KEY_CHANGED()
      await recordKey(options, 'apikey.rotated', rotated, context, { previousPrefix: record.prefix })
      return { success: true, apiKey, id: rotated.id, entry: toApiKeyView(rotated, usage) }
    },
  })
}
