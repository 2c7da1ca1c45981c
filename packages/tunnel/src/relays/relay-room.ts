import type { Logger, Scope, Sql } from '@sallyport/core'
import type { TunnelConfig } from '../config.js'
import type { TrafficCounter } from '../traffic/traffic.js'
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
  readonly traffic: TrafficCounter
}

/** Starts the relay and brings it to the database's state; the scope stops it and stores what passed. */
export async function openRelays({ sql, scope, logger, config, enabled, traffic }: RelayRoomOptions): Promise<RelayRoom> {
  const embedded = config.relay === false ? undefined : await startEmbeddedRelay(sql, logger, config.relay ?? {})
  const relays = createRelays(sql, embedded, traffic)
  if (!embedded) return { relays, traffic, sync: async () => undefined, countByStatus: () => ({}) }

  const { relay } = embedded
  scope.defer(traffic.add(relay))
  scope.defer(async () => {
    traffic.observe()
    await relay.stop()
  })
  const { sync, stop } = createRelaySync({ sql, relay, logger, enabled })
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
