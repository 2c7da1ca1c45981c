import type { AllocationOptions } from '@sallyport/relay'
import { type TInteger, type TUnsafe, Type } from '@sinclair/typebox'
import type { Ownership } from '../access.js'
import { portField } from '../fields.js'
import { isAlive } from '../gateway/instance-lease.js'
import { iso } from '../sql.js'
import { textOrNullSchema, timeSchema, viewSchema } from '../view-schema.js'
import { shownOptionsSchema } from './options.js'
import type { Protocol } from './ports.js'

/**
 * `open`: players are taken. `closed`: paused. `failed`: the relay cannot bind the port. `pending`: the relay has not said
 * yet, or is awaited after a start of the panel. `offline`: the relay is gone.
 */
export type AllocationState = 'open' | 'closed' | 'failed' | 'pending' | 'offline'

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
  readonly options: AllocationOptions
  readonly status: AllocationState
  /** Why it is `failed`: the system's code at the relay, such as EADDRINUSE; else null. */
  readonly statusError: string | null
  /** Why the agent last could not reach the target, such as `refused`; null: it could, or nobody came. */
  readonly targetError: string | null
  readonly relayId: string
  /** For people: that of its device; of a panel's own relay, or when the device was deleted, its id. */
  readonly relayName: string
  readonly relayOnline: boolean
  readonly createdAt: string
  readonly traffic: Traffic
}

const count = Type.Integer({ minimum: 0 })
/** Fields of `Traffic`, for schemas of what has more. */
export const trafficFields: Readonly<Record<keyof Traffic, TInteger>> = {
  bytesIn: { ...count, description: 'Payload bytes from players, for good.' },
  bytesOut: { ...count, description: 'Payload bytes to players, for good.' },
  connections: { ...count, description: 'All there ever were (UDP: flows).' },
  open: { ...count, description: 'Of these, open now.' },
}

export const allocationSchema: TUnsafe<Allocation> = viewSchema<Allocation>()(
  Type.Object(
    {
      id: Type.Integer({ minimum: 1 }),
      name: textOrNullSchema,
      deviceId: Type.String({ format: 'uuid' }),
      protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
      host: Type.String({ description: 'Where players go.' }),
      port: portField(),
      localHost: Type.String({ description: 'Where the agent brings them.' }),
      localPort: portField(),
      options: shownOptionsSchema,
      status: Type.Union([
        Type.Literal('open'),
        Type.Literal('closed'),
        Type.Literal('failed'),
        Type.Literal('pending'),
        Type.Literal('offline'),
      ]),
      statusError: {
        ...textOrNullSchema,
        description:
          "Why it is failed: the system's code at the relay, such as EADDRINUSE. It is tried again by itself.",
      },
      targetError: { ...textOrNullSchema, description: 'Why the agent last could not reach the target.' },
      relayId: Type.String(),
      relayName: Type.String(),
      relayOnline: Type.Boolean(),
      createdAt: timeSchema,
      traffic: Type.Object(trafficFields),
    },
    { $id: 'Allocation' },
  ),
)

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
  readonly options: AllocationOptions
  /** As the relay last said; null: not yet. */
  readonly relay_status: string | null
  readonly relay_error: string | null
  /** Whether a living instance steers the relay. */
  readonly relay_online: boolean
  readonly target_error: string | null
  readonly bytes_in: number | string | bigint
  readonly bytes_out: number | string | bigint
  readonly connections: number | string | bigint
  /** Running totals of the relay that are in the three above already, and the relay's epoch that they are of. */
  readonly counted_epoch: string | null
  /** The epoch before: it is over, and nothing of it counts any more. */
  readonly counted_before: string | null
  readonly counted_in: number | string | bigint
  readonly counted_out: number | string | bigint
  readonly counted_connections: number | string | bigint
  readonly created_at: Date | string
  readonly host: string
  readonly relay_name: string | null
  readonly owner_id: string | null
  readonly organisation_id: string | null
}

/** Selects `AllocationRow`s; a condition follows. */
export const selectAllocations: string = selectAllocationsFrom('tunnel_allocations')

/** The same of rows that were just made: the statement that makes them does not see them in their table. */
export function selectAllocationsFrom(rows: 'tunnel_allocations' | 'made'): string {
  return `
    SELECT a.id, a.device_id, a.relay_id, a.protocol, a.port, a.local_host, a.local_port, a.name, a.paused, a.options,
      a.relay_status, a.relay_error, a.target_error, a.bytes_in, a.bytes_out, a.connections, a.counted_epoch, a.counted_before,
      a.counted_in, a.counted_out, a.counted_connections, a.created_at, r.host,
      ${isAlive('r.instance_id')} AS relay_online, rd.name AS relay_name, d.owner_id, d.organisation_id
    FROM ${rows} a
    JOIN tunnel_devices d ON d.id = a.device_id
    JOIN tunnel_relays r ON r.id = a.relay_id
    LEFT JOIN tunnel_devices rd ON rd.id = r.device_id`
}

/** What the relays that this instance steers know of allocations; of the others' the row says it. */
export interface LiveAllocations {
  /** Whether its relay can be reached, here or by another instance. */
  isOnline(row: AllocationRow): boolean
  state(row: AllocationRow): AllocationState
  /** Why it is `failed`. */
  failure(row: AllocationRow): string | null
  /** Undefined when nothing is known beyond the database's totals. */
  traffic(row: AllocationRow): Traffic | undefined
}

export function toAllocation(row: AllocationRow, live: LiveAllocations): Allocation {
  const id = Number(row.id)
  const status = live.state(row)
  return {
    id,
    name: row.name,
    deviceId: row.device_id,
    protocol: row.protocol,
    host: row.host,
    port: row.port,
    localHost: row.local_host,
    localPort: row.local_port,
    options: row.options,
    status,
    statusError: status === 'failed' ? live.failure(row) : null,
    targetError: row.target_error,
    relayId: row.relay_id,
    relayName: row.relay_name ?? row.relay_id,
    relayOnline: live.isOnline(row),
    createdAt: iso(row.created_at),
    traffic: live.traffic(row) ?? storedTraffic(row),
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
