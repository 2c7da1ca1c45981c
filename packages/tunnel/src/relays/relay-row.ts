import type { Sql } from '@sallyport/core'
import type { Encryption } from '@sallyport/relay'
import { isAlive } from '../gateway/instance-lease.js'
import { aheadOfProcess } from './clock-offset.js'

/** A relay as the database has it. */
export interface RelayRow {
  readonly id: string
  readonly kind: 'embedded' | 'standalone'
  /** Of its device; null: it is a panel's own, or its device was deleted. */
  readonly name: string | null
  readonly host: string
  readonly data_port: number
  /** Of its certificate; null: agents look whether their authorities vouch for it. */
  readonly fingerprint: string | null
  readonly encryption: Encryption
  readonly host_group: string
  readonly region: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: number | null
  readonly port_from: number | null
  readonly port_to: number | null
  /** Sealed. */
  readonly ticket_key: string | null
  /** Its clock minus this process's, milliseconds. */
  readonly clock_offset: number
  readonly version: string | null
  readonly draining: boolean
  readonly devices: number
  readonly connections: number
  readonly last_seen_at: Date | string
  /** Who steers it, or did when it last was. */
  readonly instance_id: string | null
  /** Whether that one lives. */
  readonly online: boolean
  /** Stand-alone, and its device was deleted: it never comes back. */
  readonly gone_for_good: boolean
  /** Whose relay it is; null: everybody's. */
  readonly organisation_id: string | null
  readonly allocations: number
}

/** Condition: the relay `r` belongs to a device that was deleted. */
export const isGoneForGood = `(r.kind = 'standalone' AND r.device_id IS NULL)`

export async function readRelays(sql: Sql): Promise<RelayRow[]> {
  return sql<RelayRow>(
    `SELECT r.id, r.kind, d.name, r.host, r.data_port, r.fingerprint, r.encryption, r.host_group, r.region, r.labels, r.capacity,
       r.port_from, r.port_to, r.ticket_key, ${aheadOfProcess('r.clock_offset', '$1')} AS clock_offset, r.version, r.draining, r.devices, r.connections, r.last_seen_at, r.instance_id,
       ${isAlive('r.instance_id')} AS online, ${isGoneForGood} AS gone_for_good, d.organisation_id,
       COALESCE(n.allocations, 0) AS allocations
     FROM tunnel_relays r
     LEFT JOIN tunnel_devices d ON d.id = r.device_id
     LEFT JOIN (
       SELECT relay_id, count(*)::integer AS allocations FROM tunnel_allocations GROUP BY relay_id
     ) n ON n.relay_id = r.id
     ORDER BY r.id`,
    [Date.now()],
  )
}
