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
  Keyring,
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
import { sweepHeldPorts } from './allocations/held-ports.js'
import { createPlacement } from './allocations/placement.js'
import { createPresenter } from './allocations/presenter.js'
import { defineQuotas } from './allocations/quotas.js'
import { createAuditTrail } from './audit-trail.js'
import { createChangeFeed } from './change-feed.js'
import { assertConfig, type TunnelConfig, tunnelConfig } from './config.js'
import { addDeviceRoutes } from './devices/device-routes.js'
import { createDeviceStrategy, deviceTokenPurpose } from './devices/device-strategy.js'
import { createDevices } from './devices/devices.js'
import { createOwnerChanges } from './devices/owner-changes.js'
import { createOwners } from './devices/owners.js'
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
import { tellPresence } from './gateway/told-presence.js'
import { createHookRunner } from './hooks/hook-runner.js'
import { createLiveChanges } from './live/changes.js'
import { createLiveRoom } from './live/live-room.js'
import { addLiveRoute } from './live/live-route.js'
import { migrations } from './migrations.js'
import { createOtherInstances } from './other-instances.js'
import { readPermission, writePermission } from './permissions.js'
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
    keyring: Keyring,
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
    const changes = createLiveChanges(events, logger)
    scope.defer(changes.stop)
    scope.defer(changes.listen())
    const audit = createAuditTrail(services.audit, logger, (change) => {
      changes.audited(change)
      return webhooks.audited(change)
    })
    const issuer = services.tokens.issuer(deviceTokenPurpose)
    const quotas = await defineQuotas(services.settings)

    // Relay and agents
    const { redis, cache } = services
    const traffic = openTraffic({ sql, database, scope, logger, config: config.traffic, redis, cache })
    const lease = createInstanceLease(sql, instanceId, config.gateway.leaseIntervalMs)
    await lease.renew()
    scope.defer(async () => {
      // It runs out by itself: a database that is away must not make a stop fail.
      await lease.end().catch((error: unknown) => logger.warn({ err: error }, 'the lease could not be given back'))
    })
    scope.defer(every(config.gateway.leaseIntervalMs, 'renewing the lease', logger, lease.renew))
    const { keyring } = services
    const tellEnds = webhooks.connectionsEnded
    const relays = await openRelays({
      ...{ database, sql, scope, logger, config, enabled, traffic, events, keyring, audit, instanceId, tellEnds },
      onLoads: changes.relays,
    })
    const presence = tellPresence(createPresence(sql, instanceId), changes)
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
        readAgentStates(sql, { snapshot: relays.snapshot, linksFor: relays.linksFor }, deviceIds),
      targetErrors: createTargetErrors(sql, logger, changes.allocations),
      issueTicket: relays.issueTicket,
      endLink: relays.disconnectDevice,
      relayHost: relays.host,
      ...(relays.gate.admission && { admission: { ...relays.gate.admission, decide: relays.gate.decide } }),
    })
    scope.defer(() => gateway.stop())
    scope.defer(gateway.listen())
    onDrain(() => gateway.stop())
    scope.defer(every(config.gateway.presenceIntervalMs, 'checking presence', logger, gateway.refresh))

    // What follows from changes
    const revocation = createRevocation({
      events,
      logger,
      syncRelays: relays.sync,
      cut(deviceId) {
        gateway.revoke(deviceId)
        relays.disconnectDevice(deviceId)
      },
    })
    scope.defer(revocation.listen())
    const feed = createChangeFeed({ events, logger, syncRelays: relays.sync, pushState: gateway.pushState })
    scope.defer(feed.listen())
    scope.defer(relays.follow({ pushState: gateway.pushState, announce: feed.announce }))
    scope.defer(
      events.onResync(async () => {
        gateway.pushAll()
        await Promise.all([relays.sync(), gateway.refresh()])
      }),
    )
    scope.defer(
      features.onChange((changed, on) => {
        if (changed !== flag) return
        if (!on) gateway.switchOff()
        void relays.sync()
      }),
    )
    const owners = createOwners(directory)
    if (directory) {
      const { signal } = scope
      const changes = createOwnerChanges({ database, sql, audit, revocation, owners, logger, signal })
      const background = createTracked()
      scope.defer(background.idle)
      const following = (followed: Promise<void>): Promise<void> => {
        background.add(followed)
        return followed
      }
      scope.defer(directory.onChange((change) => following(changes.follow(change))))
      const off = directory.onOrganisationDeleted?.((id) => following(changes.organisationDeleted(id)))
      if (off) scope.defer(off)
    }
    scope.defer(
      every(config.sweepIntervalMs, 'sweeping', logger, async () => {
        await sweepPending(sql)
        await sweepHeldPorts(sql)
        // Heals what an event lost between instances has left behind.
        await relays.sync()
      }),
    )

    // The API
    scope.defer(services.authenticator.use(createDeviceStrategy(sql, issuer, owners)))
    scope.defer(services.authenticator.declareScopes([readPermission, writePermission]))
    scope.defer(http.guard(prefix, () => features.assertEnabled(flag)))
    scope.defer(http.guard(CONTROL_PATH, gateway.guard))
    scope.defer(http.upgradeRoute(CONTROL_PATH, gateway.upgrade))
    const { enrolment } = config
    const hooks = createHookRunner(config.hooks, logger)
    const otherInstances = createOtherInstances(sql, events, instanceId)
    const { isOnline } = gateway
    const devices = createDevices({ sql, issuer, audit, revocation, owners, otherInstances, instanceId, isOnline })
    const enrolling = { sql, rateLimits, hooks, audit, config: enrolment }
    addEnrolmentRoutes(http, {
      start: createEnrolment({ ...enrolling, database, publicUrl: () => http.publicUrl }),
      poll: createPoll(sql, issuer, enrolment),
      approval: createApproval({ ...enrolling, directory, owners, instanceId }),
    })
    addDeviceRoutes(http, devices)
    const placement = createPlacement({ database, sql, quotas, directory })
    scope.defer(placement.idle)
    const present = createPresenter({ snapshot: relays.snapshot, refreshTraffic: traffic.refresh })
    const shared = { sql, present, feed, otherInstances, audit }
    const { heldPortSeconds } = config.relays
    const allocations = createAllocations({ ...shared, heldPortSeconds, waitServed: relays.waitServed })
    addAllocationRoutes(http, {
      allocate: createAllocate({ ...shared, devices, placement, relays, hooks }),
      allocations,
    })
    addTrafficRoutes(http, { sql, traffic, find: (id, principal) => allocations.find(id, principal, 'read') })
    addRelayRoutes(http, relays.list)
    const live = createLiveRoom({
      ...{ sql, logger, config: config.live, changes, onSample: traffic.onSample },
      connected: () => events.connected,
      sources: {
        devices: devices.list,
        allocationRows: allocations.rows,
        present,
        relays: relays.sharedList,
        forgetRelays: relays.forgetSharedList,
        traffic,
      },
    })
    scope.defer(live.follow())
    scope.defer(features.onChange(live.checkAll))
    if (directory) scope.defer(directory.onChange(live.checkAll))
    addLiveRoute(http, live, config.live)

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
        liveStreams: () => live.size,
        allocations: relays.countByStatus,
        statistics: relays.statistics,
        traffic() {
          traffic.observe()
          return traffic.passed()
        },
      })
    }
  },
})
