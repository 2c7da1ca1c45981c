import {
  Audit,
  Authenticator,
  Database,
  definePlugin,
  Http,
  type PluginFactory,
  RateLimits,
  Tokens,
  UserDirectory,
} from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { type AttemptLimits, createAttempts } from '../../attempts.js'
import { authErrors } from '../../errors.js'
import { version } from '../../version.js'
import { registerLoginRoute } from './login-route.js'
import { registerLogoutRoute } from './logout-route.js'
import { sessionMigrations } from './migrations.js'
import { registerPasswordRoute } from './password-route.js'
import type { SessionRouteOptions } from './route-options.js'
import { defineSessionRecords } from './session-record.js'
import { registerSessionRoutes } from './session-routes.js'
import { createSessionStore, type SessionStore } from './session-store.js'
import { createSessionStrategy } from './session-strategy.js'
import { Sessions } from './sessions.js'

/** Configuration of sessions. */
export interface SessionConfig {
  /** Unused for so long, a session ends. Default 7 days. */
  readonly idleTimeoutSeconds: number
  /** So long after its beginning a session ends in any case. Default 30 days, which is also the most. */
  readonly lifetimeSeconds: number
  /** How many wrong tries to sign in are let through. Default 10 per account and 50 per address in 15 minutes. */
  readonly attempts: AttemptLimits
}

const day = 86_400
const purgeIntervalMs = 3_600_000

const attemptLimit = (points: number) =>
  Type.Object(
    {
      points: Type.Integer({ minimum: 1, default: points }),
      windowSeconds: Type.Integer({ minimum: 1, maximum: day, default: 900 }),
    },
    { additionalProperties: false, default: {} },
  )

const schema = Type.Object(
  {
    idleTimeoutSeconds: Type.Integer({ minimum: 60, maximum: 30 * day, default: 7 * day }),
    lifetimeSeconds: Type.Integer({ minimum: 60, maximum: 30 * day, default: 30 * day }),
    attempts: Type.Object(
      { perAccount: attemptLimit(10), perAddress: attemptLimit(50) },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
)

/** Sign-in by e-mail and password for a session, by Bearer token or cookie. Provides `Sessions`. */
export const session: PluginFactory<SessionConfig> = definePlugin({
  name: '@sallyport/auth.session',
  version,
  requires: {
    audit: Audit,
    authenticator: Authenticator,
    database: Database,
    http: Http,
    rateLimits: RateLimits,
    tokens: Tokens,
    users: UserDirectory,
  },
  provides: { sessions: Sessions },
  config: schema,
  migrations: sessionMigrations,
  errors: authErrors,
  setup({ services, config, scope, logger }) {
    const { audit, authenticator, database, http, rateLimits, tokens, users } = services
    const { idleTimeoutSeconds, lifetimeSeconds } = config
    const issuer = tokens.issuer('session')
    const records = defineSessionRecords(database.sequelize)
    const store = createSessionStore({ records, issuer, idleTimeoutSeconds, lifetimeSeconds })

    scope.defer(authenticator.use(createSessionStrategy({ issuer, store, users, publicUrl: () => http.publicUrl })))
    // The stamp has voided a known user's sessions already; this clears them away, and serves directories without stamps.
    scope.defer(
      users.onChange(async ({ userId, change }) => {
        if (change !== 'permissions') await store.revokeAll(userId)
      }),
    )
    scope.defer(purgeRegularly(store, (error) => logger.warn({ err: error }, 'expired sessions were not deleted')))

    const attempts = createAttempts(rateLimits, config.attempts)
    const routes: SessionRouteOptions = { http, users, audit, attempts, store, cookieMaxAgeSeconds: lifetimeSeconds }
    registerLoginRoute(routes)
    registerLogoutRoute(routes)
    registerSessionRoutes(routes)
    registerPasswordRoute(routes)
    return { sessions: store }
  },
})

function purgeRegularly(store: SessionStore, onError: (error: unknown) => void): () => void {
  const timer = setInterval(() => void store.purge().catch(onError), purgeIntervalMs)
  timer.unref()
  return () => clearInterval(timer)
}
