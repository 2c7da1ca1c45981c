import type { Encryption } from '@sallyport/relay'
import { type TUnsafe, Type } from '@sinclair/typebox'
import { iso } from '../sql.js'
import { textOrNullSchema, timeSchema, viewSchema } from '../view-schema.js'
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

const count = Type.Integer({ minimum: 0 })

export const relayRecordSchema: TUnsafe<RelayRecord> = viewSchema<RelayRecord>()(
  Type.Object(
    {
      id: Type.String(),
      kind: Type.Union([Type.Literal('embedded'), Type.Literal('standalone')]),
      name: Type.String(),
      host: Type.String(),
      dataPort: Type.Integer({ minimum: 0, maximum: 65_535 }),
      encryption: Type.Union([Type.Literal('tls'), Type.Literal('off')]),
      hostGroup: Type.String(),
      region: textOrNullSchema,
      labels: Type.Unsafe<RelayRecord['labels']>(Type.Object({}, { additionalProperties: Type.String() })),
      capacity: Type.Union([count, Type.Null()]),
      version: textOrNullSchema,
      online: Type.Boolean(),
      draining: Type.Boolean(),
      organisationId: textOrNullSchema,
      lastSeenAt: timeSchema,
      load: Type.Object({ allocations: count, devices: count, connections: count }),
    },
    { $id: 'Relay' },
  ),
)

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
