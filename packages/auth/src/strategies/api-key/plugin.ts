import {
  Audit,
  Authenticator,
  Database,
  type DirectoryChange,
  definePlugin,
  Events,
  Http,
  type PluginFactory,
  RateLimits,
  UserDirectory,
} from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { createCredentialCache } from '../../credential-cache.js'
import { authErrors } from '../../errors.js'
import { regularly } from '../../regularly.js'
import { assertFreshSession } from '../../sign-in/fresh.js'
import { SignIn } from '../../sign-in/sign-in.js'
import { version } from '../../version.js'
import { createApiKeyStrategy, type KnownKey } from './api-key-strategy.js'
import { registerChangeKeyRoute } from './change-key-route.js'
import { registerCreateKeyRoute } from './create-key-route.js'
import { registerDeleteKeyRoute } from './delete-key-route.js'
import { createKeyStore } from './key-store.js'
import { createKeyUsage } from './key-usage.js'
import { registerListKeysRoutes } from './list-keys-routes.js'
import { apiKeyMigrations } from './migrations.js'
import { recordRefusedAddress } from './refused-address.js'
import { registerRotateKeyRoute } from './rotate-key-route.js'
import type { ApiKeyRouteOptions } from './route-options.js'

/** Configuration of API keys. */
export interface ApiKeyConfig {
  /** Keys that one user may have. Default 100. */
  readonly maxKeysPerUser: number
}

const purgeIntervalMs = 3_600_000
/** How often it is written which keys have been used; each is written once a minute at most. */
const usageIntervalMs = 10_000

const schema = Type.Object(
  { maxKeysPerUser: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }) },
  { additionalProperties: false },
)

/** API keys for programs, as `Authorization: ApiKey` or `X-Api-Key`, and `/api/apikeys`. */
export const apiKey: PluginFactory<ApiKeyConfig> = definePlugin({
  name: '@sallyport/auth.api-key',
  version,
  requires: {
    audit: Audit,
    authenticator: Authenticator,
    database: Database,
    events: Events,
    http: Http,
    rateLimits: RateLimits,
    users: UserDirectory,
  },
  optional: { signIn: SignIn },
  config: schema,
  migrations: apiKeyMigrations,
  errors: authErrors,
  setup({ services, config, scope, logger }) {
    const { audit, authenticator, database, events, http, rateLimits, users, signIn } = services
    const store = createKeyStore(database)
    const cache = createCredentialCache<KnownKey>({ events, name: 'auth.api-keys' })
    scope.defer(cache.close)
    const usage = createKeyUsage(database)
    scope.defer(() => usage.flush())
    scope.defer(regularly(usageIntervalMs, 'noting which API keys were used', logger, () => usage.flush()))

    const onAddressRefused = recordRefusedAddress(audit, rateLimits)
    const strategy = createApiKeyStrategy({ store, cache, users, usage, onAddressRefused })
    scope.defer(authenticator.use(strategy))
    scope.defer(
      users.onChange(async ({ userId, change }: DirectoryChange) => {
        if (change === 'password') return
        await cache.end({ userId })
        if (change === 'permissions') return
        // A directory's stamp has voided them already; this clears them away, and serves directories without. The event
        // may come late from another instance: keys that the user has made since are under the present stamp, and stay.
        const user = await users.findById(userId)
        const count = await store.removeOf(userId, user?.suspended ? undefined : user?.accessStamp)
        if (count === 0) return
        await cache.end({ userId })
        const target = { type: 'user', id: userId }
        await audit.record({ action: 'apikey.deleted', actor: 'system', target, data: { reason: change, count } })
      }),
    )
    scope.defer(regularly(purgeIntervalMs, 'deleting expired API keys', logger, () => store.purge()))

    const routes: ApiKeyRouteOptions = {
      http,
      audit,
      users,
      store,
      cache,
      usage,
      strategy,
      maxKeysPerUser: config.maxKeysPerUser,
      scopes: () => authenticator.scopes,
      assertFresh: async (principal) => (signIn ? signIn.assertFresh(principal) : assertFreshSession(principal)),
    }
    registerCreateKeyRoute(routes)
    registerListKeysRoutes(routes)
    registerChangeKeyRoute(routes)
    registerRotateKeyRoute(routes)
    registerDeleteKeyRoute(routes)
  },
})
