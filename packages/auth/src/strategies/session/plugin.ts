import {
  Audit,
  Authenticator,
  Database,
  definePlugin,
  Events,
  Http,
  type PluginFactory,
  RateLimits,
  Tokens,
  UserDirectory,
} from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { createCredentialCache } from '../../credential-cache.js'
import { createCrossSiteCheck } from '../../cross-site.js'
import { authErrors } from '../../errors.js'
import { Mailer } from '../../mail/mailer.js'
import { OneTimeTokens } from '../../one-time/one-time-tokens.js'
import { PasswordPolicy } from '../../password-policy.js'
import { regularly } from '../../regularly.js'
import { type AttemptLimits, createAttempts } from '../../sign-in/attempts.js'
import { createBackground } from '../../sign-in/background.js'
import { createSignIn } from '../../sign-in/create-sign-in.js'
import { limitsSchema } from '../../sign-in/limit-schema.js'
import { registerReauthenticateRoute } from '../../sign-in/reauthenticate-route.js'
import { createRefusalGrid } from '../../sign-in/refusal-grid.js'
import { SignIn } from '../../sign-in/sign-in.js'
import { version } from '../../version.js'
import { registerLoginRoute } from './login-route.js'
import { registerLogoutRoute } from './logout-route.js'
import { sessionMigrations } from './migrations.js'
import { createPasswordReset } from './password-reset.js'
import { registerPasswordResetConfirmRoute } from './password-reset-confirm-route.js'
import { registerPasswordResetRequestRoute } from './password-reset-request-route.js'
import { registerPasswordRoute } from './password-route.js'
import type { SessionRouteOptions } from './route-options.js'
import { hasSessionCookie } from './session-cookie.js'
import { defineSessionRecords } from './session-record.js'
import { registerSessionRoutes } from './session-routes.js'
import { createSessionStore } from './session-store.js'
import { createSessionStrategy, type KnownSession } from './session-strategy.js'
import { Sessions } from './sessions.js'

/** Configuration of sessions. */
export interface SessionConfig {
  /** Unused for so long, a session ends. Default 7 days. */
  readonly idleTimeoutSeconds: number
  /** So long after its beginning a session ends in any case. Default 30 days, which is also the most. */
  readonly lifetimeSeconds: number
  /** How many wrong tries to sign in are let through. Default 10 per account and 50 per address in 15 minutes. */
  readonly attempts: AttemptLimits
  /** How many links for a new password are sent. Default 5 per account and 20 per address in an hour. */
  readonly resetRequests: AttemptLimits
  /**
   * Origins, such as `https://panel.example.com`, beside that of `http({ publicUrl })` whose pages may use the cookie.
   * None by default.
   */
  readonly origins: readonly string[]
}

const day = 86_400
const purgeIntervalMs = 3_600_000

const hour = 3_600

const schema = Type.Object(
  {
    idleTimeoutSeconds: Type.Integer({ minimum: 60, maximum: 30 * day, default: 7 * day }),
    lifetimeSeconds: Type.Integer({ minimum: 60, maximum: 30 * day, default: 30 * day }),
    attempts: limitsSchema(10, 50),
    resetRequests: limitsSchema(5, 20, hour),
    origins: Type.Array(Type.String({ pattern: '^https?://[^/?#@]+$', maxLength: 300 }), { maxItems: 20, default: [] }),
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
    events: Events,
    http: Http,
    mailer: Mailer,
    oneTime: OneTimeTokens,
    policy: PasswordPolicy,
    rateLimits: RateLimits,
    tokens: Tokens,
    users: UserDirectory,
  },
  provides: { sessions: Sessions, signIn: SignIn },
  config: schema,
  migrations: sessionMigrations,
  errors: authErrors,
  setup({ services, config, scope, logger, onDrain }) {
    const { audit, authenticator, database, events, http, mailer, oneTime, policy, rateLimits, tokens, users } =
      services
    const { idleTimeoutSeconds, lifetimeSeconds } = config
    const issuer = tokens.issuer('session')
    const records = defineSessionRecords(database.sequelize)
    const cache = createCredentialCache<KnownSession>({ events, name: 'auth.sessions' })
    scope.defer(cache.close)
    const store = createSessionStore({ records, issuer, idleTimeoutSeconds, lifetimeSeconds, onEnded: cache.end })

    const isForeign = createCrossSiteCheck(() => http.publicUrl, config.origins)
    scope.defer(authenticator.use(createSessionStrategy({ issuer, store, cache, users, isForeign })))
    // On routes too that do not ask who it is: another site's page shall not make them do anything in somebody's browser.
    scope.defer(
      http.guard('/', (request) => {
        if (isForeign(request) && hasSessionCookie(request.headers.cookie)) throw authErrors.CROSS_SITE_REQUEST()
      }),
    )
    scope.defer(
      users.onChange(async ({ userId, change }) => {
        if (change === 'permissions') return cache.end({ userId })
        // The stamp has voided a known user's sessions already; this clears them away, and serves directories without.
        // The event may come late: what was begun with the new password stays.
        const user = change === 'password' ? await users.findById(userId) : undefined
        if (user?.securityStamp !== undefined) await store.revokeOutdated(user)
        else await store.revokeAll(userId)
      }),
    )
    scope.defer(regularly(purgeIntervalMs, 'deleting expired sessions', logger, () => store.purge()))

    const background = createBackground(logger)
    onDrain(background.drain)
    scope.defer(background.close)
    const routes: SessionRouteOptions = {
      http,
      users,
      audit,
      attempts: createAttempts(rateLimits, 'password', config.attempts),
      resetRequests: createAttempts(rateLimits, 'password-reset', config.resetRequests),
      refusals: createRefusalGrid(),
      store,
      signIn: createSignIn({ http, audit, store, cookieMaxAgeSeconds: lifetimeSeconds, isForeign }),
      policy,
      resets: createPasswordReset({ users, oneTime, mailer, audit, publicUrl: () => http.publicUrl }),
      mailer,
      background,
    }
    registerLoginRoute(routes)
    registerLogoutRoute(routes)
    registerSessionRoutes(routes)
    registerPasswordRoute(routes)
    registerPasswordResetRequestRoute(routes)
    registerPasswordResetConfirmRoute(routes)
    registerReauthenticateRoute(routes)
    return { sessions: store, signIn: routes.signIn }
  },
})
