import type { Ownership } from '../access.js'
import { iso } from '../sql.js'
import type { Protocol } from './ports.js'

/** `open`: players are taken. `closed`: paused. `failed`: the relay cannot bind the port. `pending`: the relay is not there. */
export type AllocationState = 'open' | 'closed' | 'failed' | 'pending'

/** Payload bytes: `bytesIn` come from players, `bytesOut` go to them. For good, over restarts. */
export interface Traffic {
  readonly bytesIn: number
  readonly bytesOut: number
  /** All there ever were (UDP: flows). */
  readonly connections: number
  /** Of these, open now. */
  readonly open: number
}

/** An allocation as the API shows it. */
export interface Allocation {
  readonly id: number
  readonly name: string | null
  readonly deviceId: string
  readonly protocol: Protocol
  /** Where players go: `host:port`. */
  readonly host: string
  readonly port: number
  /** Where the agent brings them. */
  readonly localHost: string
  readonly localPort: number
  readonly status: AllocationState
  readonly relayId: string
  readonly relayOnline: boolean
  readonly createdAt: string
  readonly traffic: Traffic
}

export interface AllocationRow {
  readonly id: number | string | bigint
  readonly device_id: string
  readonly relay_id: string
  readonly protocol: Protocol
  readonly port: number
  readonly local_host: string
  readonly local_port: number
  readonly name: string | null
  readonly paused: boolean
  readonly bytes_in: number | string | bigint
  readonly bytes_out: number | string | bigint
  readonly connections: number | string | bigint
  readonly created_at: Date | string
  readonly host: string
  readonly owner_id: string | null
  readonly organisation_id: string | null
}

/** Selects `AllocationRow`s; a condition follows. */
export const selectAllocations: string = selectAllocationsFrom('tunnel_allocations')

/** The same of rows that were just made: the statement that makes them does not see them in their table. */
export function selectAllocationsFrom(rows: 'tunnel_allocations' | 'made'): string {
  return `
    SELECT a.id, a.device_id, a.relay_id, a.protocol, a.port, a.local_host, a.local_port, a.name, a.paused, a.bytes_in,
      a.bytes_out, a.connections, a.created_at, r.host, d.owner_id, d.organisation_id
    FROM ${rows} a
    JOIN tunnel_devices d ON d.id = a.device_id
    JOIN tunnel_relays r ON r.id = a.relay_id`
}

/** What the relays of this instance know of allocations, at one moment. */
export interface LiveAllocations {
  /** Whether the relay runs. */
  isOnline(relayId: string): boolean
  state(row: AllocationRow): AllocationState
  /** Undefined for what this instance's relay doesn't serve: the database's totals are all there is. */
  traffic(id: number): Traffic | undefined
}

export function toAllocation(row: AllocationRow, live: LiveAllocations): Allocation {
  const id = Number(row.id)
  return {
    id,
    name: row.name,
    deviceId: row.device_id,
    protocol: row.protocol,
    host: row.host,
    port: row.port,
    localHost: row.local_host,
    localPort: row.local_port,
    status: live.state(row),
    relayId: row.relay_id,
    relayOnline: live.isOnline(row.relay_id),
    createdAt: iso(row.created_at),
    traffic: live.traffic(id) ?? storedTraffic(row),
  }
}

export function storedTraffic(row: Pick<AllocationRow, 'bytes_in' | 'bytes_out' | 'connections'>): Traffic {
  return {
    bytesIn: Number(row.bytes_in),
    bytesOut: Number(row.bytes_out),
    connections: Number(row.connections),
    open: 0,
  }
}

/** Whose the allocation's device is. */
export function ownershipOf(row: AllocationRow): Ownership {
  return { id: row.device_id, ownerId: row.owner_id, organisationId: row.organisation_id }
}
