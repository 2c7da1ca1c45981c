export { Audit, type AuditRecord } from './audit/audit.js'
export { type AuditConfig, audit } from './audit/plugin.js'
export { Cache } from './cache/cache.js'
export { cache } from './cache/plugin.js'
export { Redis } from './cache/redis.js'
export { type RedisConfig, redis } from './cache/redis-plugin.js'
export { Database } from './database/database.js'
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, embeddedPostgres } from './database/embedded-postgres.js'
export type { Migration, MigrationContext } from './database/migration.js'
export { type DatabaseConfig, database } from './database/plugin.js'
export { createSql, type Sql } from './database/sql.js'
export { isDatabaseUnavailable } from './database/unavailable.js'
export { coreErrors } from './errors.js'
export { defineEvent, type EventOrigin, Events, type EventToken } from './events/events.js'
export { events } from './events/plugin.js'
export { type CookieOptions, parseCookies, serializeCookie } from './http/cookies.js'
export {
  type EventFeed,
  type EventFrame,
  type EventStream,
  type EventStreamAnswer,
  type EventStreamOptions,
  eventFrame,
  eventStream,
} from './http/event-stream.js'
export { Health, type HealthCheck, type HealthReport } from './http/health.js'
export {
  type Guard,
  type HostRequest,
  Http,
  type ListenAddress,
  type ListenOptions,
  type UpgradeContext,
} from './http/http.js'
export { Metrics } from './http/metrics.js'
export { type HttpConfig, http } from './http/plugin.js'
export type { Access, PrincipalFor, RouteContext, RouteDefinition } from './http/route.js'
export {
  type Authentication,
  type AuthenticationRequest,
  type AuthenticationStrategy,
  Authenticator,
} from './identity/authenticator.js'
export {
  type DirectoryChange,
  type DirectoryOrganisation,
  type DirectoryUser,
  UserDirectory,
} from './identity/directory.js'
export { intersectPermissions, isPermission, permits, permitsAll } from './identity/permissions.js'
export { type Membership, type Principal, type PrincipalSession, samePrincipal } from './identity/principal.js'
export { type BoundedWork, type BoundedWorkOptions, createBoundedWork } from './kernel/bounded-work.js'
export { type ConfigInput, secret } from './kernel/config.js'
export { describeError } from './kernel/error-description.js'
export {
  defineErrors,
  type ErrorCatalogue,
  type ErrorDefinition,
  type ErrorDefinitions,
  type ErrorFactory,
  type FieldError,
  isSallyportError,
  SallyportError,
  type SallyportErrorOptions,
} from './kernel/errors.js'
export { createKernel, type Kernel, type KernelOptions } from './kernel/kernel.js'
export type { KernelState } from './kernel/lifecycle.js'
export { createLogger, Logger } from './kernel/logger.js'
export {
  definePlugin,
  type Plugin,
  type PluginDefinition,
  type PluginFactory,
  type SetupContext,
} from './kernel/plugin.js'
export { createScope, type Disposer, type Scope } from './kernel/scope.js'
export { Secret } from './kernel/secret.js'
export {
  defineService,
  type OptionalServices,
  override,
  type ResolvedServices,
  type ServiceOf,
  type ServiceOverride,
  type ServiceToken,
  type ServiceTokens,
} from './kernel/service.js'
export { type AddressList, createAddressList, isAddressRange } from './security/address-list.js'
export { type DerivedKey, Keyring } from './security/keyring.js'
export { type KeyringConfig, keyring } from './security/keyring-plugin.js'
export { addressKey, type RateLimit, type RateLimitDecision, RateLimits } from './security/rate-limits.js'
export { rateLimits } from './security/rate-limits-plugin.js'
export { createSealer, type OpenedSeal, type Sealer } from './security/sealer.js'
export {
  type TokenClaims,
  type TokenIssuer,
  type TokenRequest,
  Tokens,
  type TokenVerification,
} from './security/tokens.js'
export { type TokensConfig, tokens } from './security/tokens-plugin.js'
export { Features } from './settings/features.js'
export { type SettingsConfig, settings } from './settings/plugin.js'
export { Settings, type SettingsHandle, type SettingsSection } from './settings/settings.js'
export { version } from './version.js'
