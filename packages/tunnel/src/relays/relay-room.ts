import {
  createSealer,
  type Database,
  type Disposer,
  type Events,
  type Keyring,
  type Logger,
  type Scope,
  type Sql,
} from '@sallyport/core'
import type { AuditTrail } from '../audit-trail.js'
import type { TunnelConfig } from '../config.js'
import { every } from '../every.js'
import { type AllocationFacts, createConnectionGate } from '../hooks/connection-gate.js'
import type { ConnectionEnd } from '../hooks/hooks.js'
import type { TrafficCounter } from '../traffic/traffic.js'
import { defaultRelayPolicy } from './default-relay-policy.js'
import { type EmbeddedRelay, startEmbeddedRelay } from './embedded-relay.js'
import { createFailover, type Moved } from './failover.js'
import { takeSnapshot } from './live-allocations.js'
import { createRegistration } from './registration.js'
import { createRelayChoice } from './relay-choice.js'
import { createRelayDesk } from './relay-host.js'
import { createRelayLinks } from './relay-links.js'
import { createRelayList } from './relay-list.js'
import { createRelayNews } from './relay-news.js'
import { sweepRelays } from './relay-sweep.js'
import { createRelayTable } from './relay-table.js'
import type { RelayFollowers, Relays } from './relays.js'
import { createServedNews } from './served.js'
import { beginSettling } from './settling.js'
import { createSharedHostWarning } from './shared-host-warning.js'
import type { RelayLoad } from './steered-relay.js'
import { createSteering } from './steering.js'

interface RelayRoomOptions {
  readonly database: Database
  readonly sql: Sql
  readonly scope: Scope
  readonly logger: Logger
  readonly config: TunnelConfig
  readonly enabled: () => boolean
  readonly traffic: TrafficCounter
  readonly events: Events
  readonly keyring: Keyring
  readonly audit: AuditTrail
  /** Of this process; its lease is taken already. */
  readonly instanceId: string
  /** Told when relays that are steered here have another load than before. */
  readonly onLoads: () => void
  /** Told of connections that ended, besides the host's hook. */
  readonly tellEnds?: ((ends: readonly ConnectionEnd[]) => Promise<void>) | undefined
}

/** Leases of an instance that has died run out after this many intervals. */
const leaseIntervals = 3
/** How often is looked for lost relays. */
const failoverIntervalMs = 3_000
const failoverLooksPerGrace = 4
/** Longest that relays have to come back after a start. */
const maxSettlingMs = 60_000
/** More devices than this are not named to the others one by one. */
const maxNamed = 5_000

/** Starts the embedded relay, if there is to be one, and brings it to the database's state; the scope ends it all. */
export async function openRelays(options: RelayRoomOptions): Promise<Relays> {
  const { database, sql, scope, logger, config, enabled, traffic, events, keyring, audit, instanceId } = options
  const sealer = createSealer(keyring, 'tunnel-relay-ticket')
  const table = createRelayTable(sql)
  const registration = createRegistration({ database, sql, logger, sealer, instanceId })
  const news = createRelayNews({ sql, events, logger, table, instanceId })
  let pushState: (deviceId: string) => void = () => undefined

  const served = createServedNews({
    sql,
    events,
    logger,
    instanceId,
    onTold: (allocations) => {
      for (const deviceId of new Set(allocations.map((one) => one.deviceId))) pushState(deviceId)
    },
    async steeredElsewhere() {
      const rows = await table.read()
      return [...rows.values()].some((row) => row.online && row.instance_id !== instanceId)
    },
  })
  const settling = beginSettling({
    ms: Math.min(config.relays.graceMs, maxSettlingMs),
    onOver: () => void tellMissing(),
  })
  scope.defer(() => settling.stop())
  /** Agents of relays that have not come were told that they are awaited. */
  const tellMissing = async (): Promise<void> => {
    try {
      for (const { id, online } of (await table.read()).values()) if (!online) news.tell(id)
    } catch (error) {
      logger.warn({ err: error }, 'agents could not be told of relays that are missing')
    }
  }
  const steering = createSteering({
    sql,
    logger,
    enabled,
    onTake({ relay, kind }) {
      settling.seen(relay.id)
      const uncount = traffic.add(relay)
      // The embedded one's are watched for longer: its stop ends connections.
      const unwatch = kind === 'standalone' ? gate.watch(relay) : () => undefined
      return async () => {
        await uncount()
        await unwatch()
      }
    },
    onServed(allocations, late) {
      if (allocations.length === 0) return
      void served.tell(allocations)
      if (late) for (const deviceId of new Set(allocations.map((one) => one.deviceId))) pushState(deviceId)
    },
  })
  const describe = (relayId: string, allocationId: number): AllocationFacts | undefined => {
    const viewed = steering.get(relayId)?.view.get(allocationId)
    if (!viewed) return undefined
    const { deviceId, protocol, port } = viewed.allocation
    return { deviceId, ownerId: viewed.ownerId, organisationId: viewed.organisationId, protocol, port }
  }
  const gate = createConnectionGate({ hooks: config.hooks, logger, describe, tell: options.tellEnds })
  scope.defer(() => gate.stop())
  scope.defer(() => news.stop())
  const desk = createRelayDesk({
    registration,
    steering,
    logger,
    onChanged: news.tell,
    onLoads: options.onLoads,
    onArrived: createSharedHostWarning(sql, logger),
  })

  const openEmbedded = async (relayConfig: Exclude<TunnelConfig['relay'], false>): Promise<EmbeddedRelay> => {
    const embedded = await startEmbeddedRelay({
      config: relayConfig ?? {},
      logger,
      shared: database.kind !== 'embedded',
      claim: registration.claim,
      leaseMs: leaseIntervals * config.gateway.leaseIntervalMs,
    })
    const { relay } = embedded
    scope.defer(gate.watch(relay))
    scope.defer(() => relay.stop())
    // Said even when there is none: what an earlier one said for lack of an answer is stored by the relay.
    relay.setAdmission(gate.admission && { ...gate.admission, decide: (player) => gate.decide(relay.id, player) })
    return embedded
  }

  if (database.kind === 'embedded') await registration.clear()
  const embedded = config.relay === false ? undefined : await openEmbedded(config.relay)
  scope.defer(() => desk.stop())
  scope.defer(every(config.gateway.leaseIntervalMs, 'writing the load of relays', logger, desk.refresh))
  if (embedded) await desk.begin(embedded.steered, embedded.description)

  const loadOf = (relayId: string): RelayLoad | undefined => steering.get(relayId)?.relay.load()
  const intervalMs = Math.min(failoverIntervalMs, config.relays.graceMs / failoverLooksPerGrace)

  const watchLost = (announce: RelayFollowers['announce']): Disposer => {
    const onMoved = async (moved: readonly Moved[]): Promise<void> => {
      for (const { from, to, deviceIds } of moved) {
        news.tell(from)
        news.tell(to)
        if (deviceIds.length > maxNamed) await steering.sync({ relayIds: [from, to] })
        await announce(deviceIds, [from, to])
      }
    }
    const { graceMs } = config.relays
    const failover = createFailover({ database, sql, logger, audit, graceMs, intervalMs, onMoved })
    return every(intervalMs, 'looking for lost relays', logger, failover.run)
  }

  return {
    host: desk,
    gate,
    list: createRelayList(sql, loadOf),
    sharedList: createRelayList(sql, loadOf, async () => (await table.read()).values()),
    forgetSharedList: table.forget,
    ...createRelayChoice({
      table,
      policy: config.chooseRelay ?? defaultRelayPolicy,
      events,
      portRange: config.portRange,
      instanceId,
      loadOf,
    }),
    ...createRelayLinks({ sql, table, sealer, logger }),
    sync: (syncScope) => steering.sync(syncScope),
    disconnectDevice(deviceId) {
      for (const { relay } of steering.all()) {
        try {
          relay.disconnectDevice(deviceId)
        } catch (error) {
          logger.warn({ err: error, relayId: relay.id, deviceId }, 'a relay could not be told to cut a device')
        }
      }
    },
    snapshot: () => takeSnapshot(steering, settling, traffic),
    waitServed: served.wait,
    *steered() {
      for (const { relay } of steering.all()) yield relay
    },
    countByStatus() {
      const counts: Record<string, number> = {}
      for (const { view } of steering.all()) {
        for (const { condition } of view.all()) counts[condition] = (counts[condition] ?? 0) + 1
      }
      return counts
    },
    statistics: () => embedded?.relay.statistics(),
    trouble: () => (embedded && !embedded.relay.status().running ? 'the embedded relay does not run' : undefined),
    follow(followers) {
      pushState = followers.pushState
      const disposers = [
        news.listen(followers.pushState),
        served.listen(),
        watchLost(followers.announce),
        every(config.sweepIntervalMs, 'forgetting dead relays', logger, () => sweepRelays(sql)),
      ]
      return async () => {
        for (const dispose of disposers.reverse()) await dispose()
      }
    },
  }
}
