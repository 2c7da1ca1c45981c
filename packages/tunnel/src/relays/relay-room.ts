import type { Logger, Scope, Sql } from '@sallyport/core'
import type { TunnelConfig } from '../config.js'
import { every } from '../every.js'
import { createTrafficCounter, type TrafficCounter } from '../traffic/traffic.js'
import { startEmbeddedRelay } from './embedded-relay.js'
import { createRelaySync } from './relay-sync.js'
import { createRelays, type Relays } from './relays.js'

/** The relay in this process, if there is to be one, with what keeps it at the database's state. */
export interface RelayRoom {
  readonly relays: Relays
  readonly traffic: TrafficCounter
  /** Resolves when the relay has what the database had at the call. Never rejects. */
  sync(): Promise<void>
  /** Allocations on it, by status. */
  countByStatus(): Record<string, number>
}

interface RelayRoomOptions {
  readonly sql: Sql
  readonly scope: Scope
  readonly logger: Logger
  readonly config: TunnelConfig
  readonly enabled: () => boolean
}

/** Starts the relay and brings it to the database's state; the scope stops it and stores what passed. */
export async function openRelays({ sql, scope, logger, config, enabled }: RelayRoomOptions): Promise<RelayRoom> {
  const embedded = config.relay === false ? undefined : await startEmbeddedRelay(sql, logger, config.relay ?? {})
  const traffic = createTrafficCounter(sql, () => embedded?.relay.traffic() ?? [])
  const relays = createRelays(sql, embedded, traffic)
  if (!embedded) return { relays, traffic, sync: async () => undefined, countByStatus: () => ({}) }

  const { relay } = embedded
  scope.defer(() => traffic.flush())
  scope.defer(async () => {
    traffic.observe()
    await relay.stop()
  })
  scope.defer(every(config.traffic.flushIntervalMs, 'storing traffic', logger, traffic.flush))
  const { sync, stop } = createRelaySync({ sql, relay, traffic, logger, enabled })
  scope.defer(stop)
  await sync()

  return {
    relays,
    traffic,
    sync,
    countByStatus() {
      const counts: Record<string, number> = {}
      for (const { status } of relay.status().allocations) counts[status] = (counts[status] ?? 0) + 1
      return counts
    },
  }
}
