import type { Sql } from '@sallyport/core'
import type { ControlRelay, Relay } from '@sallyport/relay'
import type { AllocationRow, AllocationState, LiveAllocations } from '../allocations/allocation.js'
import { isoOrNull } from '../sql.js'
import type { TrafficCounter } from '../traffic/traffic.js'
import type { EmbeddedRelay } from './embedded-relay.js'

/** A relay as `GET /api/tunnel/relays` shows it. */
export interface RelayRecord {
  readonly id: string
  readonly kind: 'embedded' | 'standalone'
  readonly host: string
  readonly dataPort: number
  readonly hostGroup: string
  readonly region: string | null
  readonly online: boolean
  readonly lastSeenAt: string | null
  readonly load: {
    readonly allocations: number
    /** Devices linked to it now; null when not known. */
    readonly devices: number | null
    /** Players' connections open now; null when not known. */
    readonly connections: number | null
  }
}

/** The relays that this instance can speak for: the one in its process, or none. */
export interface Relays {
  /** For a new allocation. */
  choose(): { readonly id: string; readonly hostGroup: string } | undefined
  /** What a device dials, each with a fresh ticket. */
  linksFor(deviceId: string): ControlRelay[]
  /** A fresh ticket, or `undefined` for a relay that is not this instance's. */
  issueTicket(relayId: string, deviceId: string): string | undefined
  /** Cuts the device's link and players, and ends its tickets. */
  disconnectDevice(deviceId: string): void
  snapshot(): LiveAllocations
  list(): Promise<RelayRecord[]>
  /** Why nothing can be served, or `undefined`. */
  trouble(): string | undefined
}

interface RelayRow {
  readonly id: string
  readonly kind: 'embedded' | 'standalone'
  readonly host: string
  readonly data_port: number
  readonly host_group: string
  readonly region: string | null
  readonly last_seen_at: Date | null
  readonly allocations: number
}

export function createRelays(sql: Sql, embedded: EmbeddedRelay | undefined, traffic: TrafficCounter): Relays {
  const running = (): EmbeddedRelay | undefined => (embedded?.relay.status().running ? embedded : undefined)

  return {
    choose() {
      const here = running()
      return here && { id: here.relay.id, hostGroup: here.hostGroup }
    },
    linksFor(deviceId) {
      const relay = running()?.relay
      if (!relay) return []
      return [{ id: relay.id, host: relay.publicHost, port: relay.dataPort, ticket: relay.issueTicket(deviceId) }]
    },
    issueTicket(relayId, deviceId) {
      const relay = running()?.relay
      return relay?.id === relayId ? relay.issueTicket(deviceId) : undefined
    },
    disconnectDevice(deviceId) {
      running()?.relay.disconnectDevice(deviceId)
    },
    snapshot: () => takeSnapshot(running()?.relay, traffic),
    async list() {
      const rows = await sql<RelayRow>(
        `SELECT r.id, r.kind, r.host, r.data_port, r.host_group, r.region, r.last_seen_at,
           (SELECT count(*)::integer FROM tunnel_allocations a WHERE a.relay_id = r.id) AS allocations
         FROM tunnel_relays r ORDER BY r.id`,
      )
      traffic.observe()
      const here = running()?.relay
      const { open } = traffic.passed()
      return rows.map((row) => toRecord(row, here?.id === row.id ? here : undefined, open))
    },
    trouble() {
      return embedded && !embedded.relay.status().running ? 'the embedded relay does not run' : undefined
    },
  }
}

function takeSnapshot(relay: Relay | undefined, traffic: TrafficCounter): LiveAllocations {
  traffic.observe()
  const conditions = new Map(relay?.status().allocations.map(({ allocationId, status }) => [allocationId, status]))
  return {
    isOnline: (relayId) => relay?.id === relayId,
    state({ id, paused }: AllocationRow): AllocationState {
      if (paused) return 'closed'
      const condition = conditions.get(Number(id))
      if (condition === 'listening') return 'open'
      return condition === 'failed' ? 'failed' : 'pending'
    },
    traffic: (row) => traffic.of(row),
  }
}

function toRecord(row: RelayRow, live: Relay | undefined, open: number): RelayRecord {
  return {
    id: row.id,
    kind: row.kind,
    host: row.host,
    dataPort: row.data_port,
    hostGroup: row.host_group,
    region: row.region,
    online: live !== undefined,
    lastSeenAt: live ? new Date().toISOString() : isoOrNull(row.last_seen_at),
    load: {
      allocations: row.allocations,
      devices: live ? live.devices().length : null,
      connections: live ? open : null,
    },
  }
}
