import {
  Audit,
  createSql,
  Database,
  definePlugin,
  Http,
  Keyring,
  type PluginFactory,
  RateLimits,
  UserDirectory,
} from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { authErrors } from '../../errors.js'
import { Mailer } from '../../mail/mailer.js'
import { OneTimeTokens } from '../../one-time/one-time-tokens.js'
import { regularly } from '../../regularly.js'
import { type AttemptLimits, createAttempts } from '../../sign-in/attempts.js'
import { limitsSchema } from '../../sign-in/limit-schema.js'
import { SignIn } from '../../sign-in/sign-in.js'
import { version } from '../../version.js'
import { registerDisableRoute } from './disable-route.js'
import { createEmailCodes } from './email-codes.js'
import { twoFactorMigrations } from './migrations.js'
import { createTotpProof } from './proof.js'
import { createProofs } from './proofs.js'
import { registerRecoveryCodesRoute } from './recovery-codes-route.js'
import { registerRemoveRoute } from './remove-route.js'
import { resealOutdated } from './reseal.js'
import type { TwoFactorRouteOptions } from './route-options.js'
import { createSecondFactor } from './second-factor.js'
import { createSecrets } from './secrets.js'
import { registerSendEmailRoute } from './send-email-route.js'
import { registerSetupRoute } from './setup-route.js'
import { registerStatusRoute } from './status-route.js'
import { createTempTokens } from './temp-tokens.js'
import { createTwoFactorStore } from './two-factor-store.js'
import { registerVerifyLoginRoute } from './verify-login-route.js'
import { registerVerifyRoute } from './verify-route.js'

/** Configuration of second factors. */
export interface TwoFactorConfig {
  /** What authenticator apps and mail call the panel: no colon. Default `Sallyport`. */
  readonly issuer: string
  /** Whether a code may be sent by mail in place of the authenticator app's. Default `true`. */
  readonly email: boolean
  /** How many wrong codes are let through. Default 5 per account and 50 per address in 15 minutes. */
  readonly attempts: AttemptLimits
}

const purgeIntervalMs = 900_000
const maxIssuerLength = 64

const schema = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: maxIssuerLength, pattern: '^[^:\\p{Cc}]+$', default: 'Sallyport' }),
    email: Type.Boolean({ default: true }),
    attempts: limitsSchema(5, 50),
  },
  { additionalProperties: false },
)

/**
 * A second factor after the password: codes of an authenticator app (RFC 6238), and in their place recovery codes and
 * codes by mail. Needs `session()`.
 */
export const twoFactor: PluginFactory<TwoFactorConfig> = definePlugin({
  name: '@sallyport/auth.two-factor',
  version,
  requires: {
    audit: Audit,
    database: Database,
    http: Http,
    keyring: Keyring,
    mailer: Mailer,
    oneTimeTokens: OneTimeTokens,
    rateLimits: RateLimits,
    signIn: SignIn,
    users: UserDirectory,
  },
  config: schema,
  migrations: twoFactorMigrations,
  errors: authErrors,
  setup({ services, config, scope, logger, onReady }) {
    const { audit, database, http, keyring, mailer, oneTimeTokens, rateLimits, signIn, users } = services
    const { issuer, email } = config
    const sql = createSql(database)
    const store = createTwoFactorStore(sql)
    const secrets = createSecrets(keyring)
    const emailCodes = createEmailCodes(sql, keyring)
    const proofs = createProofs({ store, secrets, emailCodes, logger })
    const tempTokens = createTempTokens(oneTimeTokens, users)
    const attempts = createAttempts(rateLimits, 'second-factor', config.attempts)
    const routes: TwoFactorRouteOptions = {
      http,
      users,
      audit,
      database,
      signIn,
      attempts,
      store,
      proofs,
      tempTokens,
      email,
    }

    scope.defer(signIn.addSecondFactor(createSecondFactor(routes)))
    scope.defer(signIn.addProof(createTotpProof(routes)))
    scope.defer(
      users.onChange(async ({ userId, change }) => {
        if (change === 'permissions') return
        await tempTokens.revokeAll(userId)
        if (change === 'deleted') await database.transaction((transaction) => store.remove(userId, transaction))
      }),
    )
    scope.defer(regularly(purgeIntervalMs, 'deleting expired two-factor codes', logger, () => store.purge()))

    const stopped = new AbortController()
    let resealing: Promise<void> | undefined
    scope.defer(async () => {
      stopped.abort()
      await resealing
    })
    onReady(() => {
      // Beside everything else: a panel with many users serves meanwhile.
      resealing = resealOutdated({ store, secrets, logger, signal: stopped.signal }).catch((error: unknown) =>
        logger.error({ err: error }, 'sealing two-factor secrets with the newest key failed'),
      )
    })

    registerStatusRoute(routes)
    registerSetupRoute(routes, secrets, issuer)
    registerVerifyRoute(routes, secrets)
    registerDisableRoute(routes)
    registerRecoveryCodesRoute(routes)
    if (email) registerSendEmailRoute(routes, { mailer, rateLimits, emailCodes, issuer })
    registerVerifyLoginRoute(routes)
    registerRemoveRoute(routes)
  },
})
