import { randomUUID } from 'node:crypto'
import {
  Audit,
  Authenticator,
  Cache,
  createSql,
  Database,
  definePlugin,
  Events,
  Features,
  Health,
  Http,
  Metrics,
  type PluginFactory,
  RateLimits,
  Redis,
  Settings,
  Tokens,
  UserDirectory,
} from '@sallyport/core'
import { CONTROL_PATH } from '@sallyport/relay'
import { createAllocate } from './allocations/allocate.js'
import { addAllocationRoutes } from './allocations/allocation-routes.js'
import { createAllocations } from './allocations/allocations.js'
import { defineQuotas } from './allocations/quotas.js'
import { createAuditTrail } from './audit-trail.js'
import { createChangeFeed } from './change-feed.js'
import { assertConfig, type TunnelConfig, tunnelConfig } from './config.js'
import { addDeviceRoutes } from './devices/device-routes.js'
import { createDeviceStrategy, deviceTokenPurpose } from './devices/device-strategy.js'
import { createDevices } from './devices/devices.js'
import { createOwnerChanges } from './devices/owner-changes.js'
import { createRevocation } from './devices/revocation.js'
import { createApproval } from './enrolment/approval.js'
import { createEnrolment } from './enrolment/enrolment.js'
import { addEnrolmentRoutes } from './enrolment/enrolment-routes.js'
import { sweepPending } from './enrolment/pending-sweep.js'
import { createPoll } from './enrolment/poll.js'
import { tunnelErrors } from './errors.js'
import { every } from './every.js'
import { readAgentStates } from './gateway/agent-state.js'
import { createGateway } from './gateway/gateway.js'
import { createInstanceLease } from './gateway/instance-lease.js'
import { createPresence } from './gateway/presence.js'
import { createTargetErrors } from './gateway/target-errors.js'
import { migrations } from './migrations.js'
import { openRelays } from './relays/relay-room.js'
import { addRelayRoutes } from './relays/relay-routes.js'
import { createTracked } from './tracked.js'
import { openTraffic } from './traffic/traffic-room.js'
import { addTrafficRoutes } from './traffic/traffic-routes.js'
import { addTunnelMetrics } from './tunnel-metrics.js'
import { version } from './version.js'
import { openWebhooks } from './webhooks/webhooks.js'

const prefix = '/api/tunnel'
const flag = 'tunnels'

/** The control plane of tunnels: devices, allocations, the agents' control channel, and a relay in the same process. */
export const tunnel: PluginFactory<TunnelConfig> = definePlugin({
  name: '@sallyport/tunnel',
  version,
  requires: {
    database: Database,
    http: Http,
    tokens: Tokens,
    settings: Settings,
    features: Features,
    audit: Audit,
    events: Events,
    authenticator: Authenticator,
    rateLimits: RateLimits,
    redis: Redis,
    cache: Cache,
  },
  optional: { metrics: Metrics, health: Health, directory: UserDirectory },
  config: tunnelConfig,
  migrations,
  errors: tunnelErrors,

  async setup({ services, config, scope, logger, onDrain }) {
    assertConfig(config)
    const { database, http, features, events, rateLimits, directory } = services
    const sql = createSql(database)
    const instanceId = randomUUID()
    const enabled = (): boolean => features.isEnabled(flag)
    const webhooks = openWebhooks({ sql, scope, logger, endpoints: config.webhooks })
    const audit = createAuditTrail(services.audit, logger, webhooks.audited)
    const issuer = services.tokens.issuer(deviceTokenPurpose)
    const quotas = await defineQuotas(services.settings)

    // Relay and agents
    const { redis, cache } = services
    const traffic = openTraffic({ sql, database, scope, logger, config: config.traffic, redis, cache })
    const room = await openRelays({ sql, scope, logger, config, enabled, traffic })
    const { relays } = room
    const lease = createInstanceLease(sql, instanceId, config.gateway.leaseIntervalMs)
    await lease.renew()
    scope.defer(async () => {
      // It runs out by itself: a database that is away must not make a stop fail.
      await lease.end().catch((error: unknown) => logger.warn({ err: error }, 'the lease could not be given back'))
    })
    scope.defer(every(config.gateway.leaseIntervalMs, 'renewing the lease', logger, lease.renew))
    const presence = createPresence(sql, instanceId)
    await presence.clear(database.kind === 'embedded')
    scope.defer(async () => {
      // It runs out by itself: a database that is away must not make a stop fail.
      await presence.clear().catch((error: unknown) => logger.warn({ err: error }, 'presence could not be taken back'))
    })
    const gateway = createGateway({
      issuer,
      features,
      presence,
      logger,
      config: config.gateway,
      events,
      readStates: (deviceIds) =>
        readAgentStates(
          sql,
          { snapshot: relays.snapshot, linksFor: (ids) => new Map(ids.map((id) => [id, relays.linksFor(id)])) },
          deviceIds,
        ),
      targetErrors: createTargetErrors(sql, logger),
      issueTicket: relays.issueTicket,
      endLink: relays.disconnectDevice,
    })
    scope.defer(() => gateway.stop())
    scope.defer(gateway.listen())
    onDrain(() => gateway.stop())
    scope.defer(every(config.gateway.presenceIntervalMs, 'writing presence', logger, gateway.refresh))

    // What follows from changes
    const revocation = createRevocation({
      events,
      logger,
      syncRelays: room.sync,
      cut(deviceId) {
        gateway.revoke(deviceId)
        relays.disconnectDevice(deviceId)
      },
    })
    scope.defer(revocation.listen())
    const feed = createChangeFeed({ events, logger, syncRelays: room.sync, pushState: gateway.pushState })
    scope.defer(feed.listen())
    scope.defer(
      events.onResync(async () => {
        gateway.pushAll()
        await Promise.all([room.sync(), gateway.refresh()])
      }),
    )
    scope.defer(
      features.onChange((changed, on) => {
        if (changed !== flag) return
        if (!on) gateway.switchOff()
        void room.sync()
      }),
    )
    if (directory) {
      const follow = createOwnerChanges({ database, sql, audit, revocation, logger, signal: scope.signal })
      const background = createTracked()
      scope.defer(background.idle)
      scope.defer(
        directory.onChange((change) => {
          const followed = follow(change)
          background.add(followed)
          return followed
        }),
      )
    }
    scope.defer(
      every(config.sweepIntervalMs, 'sweeping', logger, async () => {
        await sweepPending(sql)
        // Heals what an event lost between instances has left behind.
        await room.sync()
      }),
    )

    // The API
    scope.defer(services.authenticator.use(createDeviceStrategy(sql, issuer, directory)))
    scope.defer(http.guard(prefix, () => features.assertEnabled(flag)))
    scope.defer(http.guard(CONTROL_PATH, gateway.guard))
    scope.defer(http.upgradeRoute(CONTROL_PATH, gateway.upgrade))
    const devices = createDevices({ sql, issuer, audit, revocation, instanceId, isOnline: gateway.isOnline })
    const { enrolment, portRange } = config
    addEnrolmentRoutes(http, {
      start: createEnrolment({ database, sql, rateLimits, audit, config: enrolment, publicUrl: () => http.publicUrl }),
      poll: createPoll(sql, issuer, enrolment),
      approval: createApproval({ sql, rateLimits, directory, audit, config: enrolment, instanceId }),
    })
    addDeviceRoutes(http, devices)
    const shared = { sql, snapshot: relays.snapshot, feed, audit }
    const allocations = createAllocations(shared)
    addAllocationRoutes(http, {
      allocate: createAllocate({
        ...shared,
        database,
        devices,
        quotas,
        directory,
        portRange,
        chooseRelay: relays.choose,
      }),
      allocations,
    })
    addTrafficRoutes(http, { sql, traffic, find: (id, principal) => allocations.find(id, principal, 'read') })
    addRelayRoutes(http, relays)

    // What operators see
    if (services.health && config.relay !== false) {
      scope.defer(
        services.health.register('relay', () => {
          const trouble = relays.trouble()
          if (trouble !== undefined) throw new Error(trouble)
        }),
      )
    }
    if (services.metrics) {
      addTunnelMetrics(services.metrics, {
        devicesOnline: gateway.count,
        allocations: room.countByStatus,
        traffic() {
          traffic.observe()
          return traffic.passed()
        },
      })
    }
  },
})
