import { Audit } from '../audit/audit.js'
import { audit } from '../audit/plugin.js'
import { Cache } from '../cache/cache.js'
import { cache } from '../cache/plugin.js'
import { Redis } from '../cache/redis.js'
import { redis } from '../cache/redis-plugin.js'
import { Database } from '../database/database.js'
import { database } from '../database/plugin.js'
import { Events } from '../events/events.js'
import { events } from '../events/plugin.js'
import { Health } from '../http/health.js'
import { health } from '../http/health-plugin.js'
import { Http } from '../http/http.js'
import { Metrics } from '../http/metrics.js'
import { metrics } from '../http/metrics-plugin.js'
import { http } from '../http/plugin.js'
import { Authenticator } from '../identity/authenticator.js'
import { authenticator } from '../identity/authenticator-plugin.js'
import { Keyring } from '../security/keyring.js'
import { keyring } from '../security/keyring-plugin.js'
import { RateLimits } from '../security/rate-limits.js'
import { rateLimits } from '../security/rate-limits-plugin.js'
import { Tokens } from '../security/tokens.js'
import { tokens } from '../security/tokens-plugin.js'
import { Features } from '../settings/features.js'
import { settings } from '../settings/plugin.js'
import { Settings } from '../settings/settings.js'
import type { DefaultProvider } from './registry.js'

/** Core's own plugins, each started only when something requires a service that nobody else provides. */
export function defaultProviders(): readonly DefaultProvider[] {
  return [
    { token: Audit, create: () => audit() },
    { token: Features, create: () => settings() },
    { token: Settings, create: () => settings() },
    { token: RateLimits, create: () => rateLimits() },
    { token: Tokens, create: () => tokens() },
    { token: Keyring, create: () => keyring() },
    { token: Events, create: () => events() },
    { token: Redis, create: () => redis() },
    { token: Cache, create: () => cache() },
    { token: Database, create: () => database() },
    { token: Http, create: () => http() },
    { token: Health, create: () => health() },
    { token: Metrics, create: () => metrics() },
    { token: Authenticator, create: () => authenticator() },
  ]
}
