import type { Encryption } from '@sallyport/relay'
import { iso } from '../sql.js'
import type { RelayRow } from './relay-row.js'
import type { RelayLoad } from './steered-relay.js'

/** A relay as `GET /api/tunnel/relays` shows it. */
export interface RelayRecord {
  readonly id: string
  readonly kind: 'embedded' | 'standalone'
  /** For people: that of its device; of a panel's own relay its id. */
  readonly name: string
  /** Name or address that players and agents are given. */
  readonly host: string
  readonly dataPort: number
  /** Of TCP between it and agents. */
  readonly encryption: Encryption
  readonly hostGroup: string
  readonly region: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Allocations that it takes at most; null: no bound of its own. */
  readonly capacity: number | null
  readonly version: string | null
  readonly online: boolean
  /** It finishes with its players and takes no new allocations. */
  readonly draining: boolean
  /** Whose relay it is; null: everybody's. */
  readonly organisationId: string | null
  readonly lastSeenAt: string
  readonly load: {
    readonly allocations: number
    /** Devices linked to it now; of one that is not online 0. */
    readonly devices: number
    /** Players' connections open now; of one that is not online 0. */
    readonly connections: number
  }
}

/** @param live of a relay that is steered here */
export function toRelayRecord(row: RelayRow, live: RelayLoad | undefined): RelayRecord {
  const { devices, connections, draining } = live ?? row
  return {
    id: row.id,
    kind: row.kind,
    name: row.name ?? row.id,
    host: row.host,
    dataPort: row.data_port,
    encryption: row.encryption,
    hostGroup: row.host_group,
    region: row.region,
    labels: row.labels,
    capacity: row.capacity,
    version: row.version,
    online: row.online,
    draining,
    organisationId: row.organisation_id,
    lastSeenAt: row.online ? new Date().toISOString() : iso(row.last_seen_at),
    load: {
      allocations: row.allocations,
      devices: row.online ? devices : 0,
      connections: row.online ? connections : 0,
    },
  }
}
