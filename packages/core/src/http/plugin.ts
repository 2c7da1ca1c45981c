import { Type } from '@sinclair/typebox'
import { coreErrors } from '../errors.js'
import { Authenticator } from '../identity/authenticator.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { RateLimits } from '../security/rate-limits.js'
import { version } from '../version.js'
import { addDocsRoutes } from './docs-routes.js'
import type { HttpEngine } from './engine.js'
import { createGuards } from './guards.js'
import { Health } from './health.js'
import { addHealthRoutes } from './health-routes.js'
import { Http } from './http.js'
import { createInFlight } from './in-flight.js'
import { Metrics } from './metrics.js'
import { addMetricsRoute } from './metrics-route.js'
import { createObservation } from './observation.js'
import { createOpenStreams } from './open-streams.js'
import { createRequestStates } from './request-state.js'
import { createRouteTable } from './route-table.js'
import { createHttpService, type HttpService } from './service.js'
import { parseTrustedProxies } from './trusted-proxies.js'
import { createUpgradeRoutes } from './upgrade-routes.js'
import { createValidation } from './validation.js'

const name = '@sallyport/core.http'

const schema = Type.Object(
  {
    /** Origin under which users reach the panel; by default `http://localhost` with the port that it listens on. */
    publicUrl: Type.Optional(Type.String({ maxLength: 2_000 })),
    /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` and `X-Request-Id` are believed. */
    trustedProxies: Type.Array(Type.String(), { default: [], maxItems: 1_000 }),
    /** Path below which `listen` and `handler` serve, such as `/panel`. A host's app is given a prefix instead. */
    basePath: Type.String({ default: '', pattern: '^(/[\\w.~-]+)*$' }),
    /** Bytes that a body may have where its route says nothing else. */
    bodyLimit: Type.Integer({ default: 2_097_152, minimum: 1 }),
    /** Time for a whole request to arrive, in milliseconds. */
    requestTimeoutMs: Type.Integer({ default: 60_000, minimum: 100 }),
    /** Time for its headers, in milliseconds. */
    headersTimeoutMs: Type.Integer({ default: 20_000, minimum: 100 }),
    /** Time that a route may take to begin its answer, in milliseconds; then it is 503. */
    handlerTimeoutMs: Type.Integer({ default: 30_000, minimum: 1 }),
    /** Time that a connection may idle between requests, in milliseconds. */
    keepAliveTimeoutMs: Type.Integer({ default: 65_000, minimum: 0 }),
    /** Connections at one time when it listens by itself; more are closed at once. */
    maxConnections: Type.Integer({ default: 10_000, minimum: 1 }),
    /** Whether `/api/openapi.json` and `/api/docs` are served. */
    docs: Type.Boolean({ default: true }),
  },
  { additionalProperties: false },
)

export interface HttpConfig {
  readonly publicUrl?: string
  readonly trustedProxies: readonly string[]
  readonly basePath: string
  readonly bodyLimit: number
  readonly requestTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly handlerTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxConnections: number
  readonly docs: boolean
}

/** Answers HTTP: in a host's Fastify app, behind any `node:http` server, or by itself. */
export const http: PluginFactory<HttpConfig> = definePlugin({
  name,
  version,
  requires: { health: Health, metrics: Metrics, authenticator: Authenticator, rateLimits: RateLimits },
  provides: { http: Http },
  config: schema,
  setup({ services, config, scope, logger, onDrain }) {
    const { health, metrics, authenticator, rateLimits } = services
    const publicUrl = parsePublicUrl(config.publicUrl)
    let service: HttpService | undefined
    const engine: HttpEngine = {
      authenticator,
      rateLimits,
      logger,
      trusted: parseTrustedProxies(name, config.trustedProxies),
      table: createRouteTable(),
      plugins: [],
      guards: createGuards(),
      upgrades: createUpgradeRoutes(),
      validation: createValidation(),
      states: createRequestStates(),
      inFlight: createInFlight(() => service?.ownApp?.closeIdle()),
      streams: createOpenStreams(),
      observation: createObservation(metrics.registry, logger),
      bodyLimit: config.bodyLimit,
      handlerTimeoutMs: config.handlerTimeoutMs,
      closed: false,
    }
    service = createHttpService(engine, scope, { ...config, publicUrl })
    onDrain(async (signal) => {
      service?.ownApp?.stopAccepting()
      engine.streams.endAll()
      await engine.inFlight.drain(signal)
    })
    addHealthRoutes(service.http, health, () => engine.inFlight.draining)
    addMetricsRoute(service.http, metrics)
    if (config.docs) addDocsRoutes(service.http, engine)
    return { http: service.http }
  },
})

function parsePublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  const usable = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  if (!usable) throw coreErrors.CONFIG_INVALID({ plugin: name, reason: 'publicUrl is no http or https URL' })
  return url.href.replace(/\/+$/, '')
}
