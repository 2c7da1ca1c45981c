import {
  Audit,
  Database,
  definePlugin,
  Http,
  type PluginFactory,
  type RateLimit,
  RateLimits,
  UserDirectory,
} from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { OneTimeTokens } from '../../one-time/one-time-tokens.js'
import type { AttemptLimit } from '../../sign-in/attempts.js'
import { limitSchema } from '../../sign-in/limit-schema.js'
import { SignIn } from '../../sign-in/sign-in.js'
import { version } from '../../version.js'
import { createAuthentication } from './authentication.js'
import { registerAuthenticationRoutes } from './authentication-routes.js'
import type { CeremonyOptions } from './ceremony.js'
import { passkeyMigrations } from './migrations.js'
import { registerPasskeyRoutes } from './passkey-routes.js'
import { createPasskeyStore } from './passkey-store.js'
import { createReauthenticationProof } from './reauthentication.js'
import { createRegistration } from './registration.js'
import { registerRegistrationRoutes } from './registration-routes.js'
import {
  assertRelyingPartyConfig,
  describeUnusable,
  invalidConfig,
  pluginName,
  type RelyingParty,
  resolveRelyingParty,
} from './relying-party.js'
import type { PasskeyRouteOptions } from './route-options.js'

/** Configuration of passkeys. What it says is what passkeys are bound to: what a request says of its origin is not believed. */
export interface PasskeyConfig {
  /** Domain for which passkeys are made; default the host name of `http({ publicUrl })`. Another makes all of them unusable. */
  readonly rpId?: string
  /** What browsers show; default the domain. */
  readonly rpName?: string
  /** Origins whose pages may use them, each on `rpId` or below it; default that of `http({ publicUrl })`. */
  readonly origins?: readonly string[]
  /** How many that are refused are let through per address. Default 50 in 15 minutes. */
  readonly attemptsPerAddress: AttemptLimit
  /** How many challenges to sign in by are given out per address. Default 60 in a minute. */
  readonly challengesPerAddress: AttemptLimit
}

const schema = Type.Object(
  {
    rpId: Type.Optional(Type.String()),
    rpName: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    origins: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { minItems: 1, maxItems: 20 })),
    attemptsPerAddress: limitSchema(50),
    challengesPerAddress: limitSchema(60, 60),
  },
  { additionalProperties: false },
)

const define: PluginFactory<PasskeyConfig> = definePlugin({
  name: pluginName,
  version,
  requires: {
    audit: Audit,
    database: Database,
    http: Http,
    oneTimeTokens: OneTimeTokens,
    rateLimits: RateLimits,
    signIn: SignIn,
    users: UserDirectory,
  },
  config: schema,
  migrations: passkeyMigrations,
  errors: authErrors,
  setup({ services, config, scope, logger }) {
    const { audit, database, http, oneTimeTokens, rateLimits, signIn, users } = services
    const relyingParty = (): RelyingParty => resolveRelyingParty(config, http.publicUrl)
    const unusable = describeUnusable(relyingParty())
    if (unusable !== undefined) {
      // A panel on plain http does without passkeys; but who says what they are for is told that it cannot be.
      if (config.rpId !== undefined || config.origins !== undefined) throw invalidConfig(unusable)
      logger.warn({ reason: unusable }, 'browsers do not make passkeys for this public URL')
    }

    const store = createPasskeyStore(database)
    const attempts: RateLimit = { name: 'auth.passkey-per-address', ...config.attemptsPerAddress }
    const ceremony: CeremonyOptions = { audit, logger, oneTimeTokens, rateLimits, store, users, attempts, relyingParty }
    const authentication = createAuthentication(ceremony)
    const registration = createRegistration(ceremony)

    scope.defer(
      users.onChange(async ({ userId, change }) => {
        if (change !== 'deleted') return
        await registration.cancel(userId)
        const removed = await store.removeAll(userId)
        if (removed === 0) return
        const target = { type: 'user', id: userId }
        await audit.record({ action: 'passkey.all-removed', actor: 'system', target, data: { removed } })
      }),
    )
    scope.defer(signIn.addProof(createReauthenticationProof(authentication)))

    const challenges: RateLimit = { name: 'auth.passkey-challenge', ...config.challengesPerAddress }
    const routes: PasskeyRouteOptions = {
      challenges,
      audit,
      authentication,
      http,
      registration,
      relyingParty,
      signIn,
      store,
      users,
    }
    registerRegistrationRoutes(routes)
    registerAuthenticationRoutes(routes)
    registerPasskeyRoutes(routes)
  },
})

/**
 * Sign-in by passkeys (WebAuthn), by e-mail address or without. A passkey is two factors by itself: something that its
 * user has, and what the authenticator verified them by.
 * @throws `CORE_ERR_CONFIG_INVALID` for a domain or origins that no browser would make passkeys for
 */
export const passkey: PluginFactory<PasskeyConfig> = (config) => {
  const plugin = define(config)
  assertRelyingPartyConfig(plugin.config as PasskeyConfig)
  return plugin
}
