import { type TUnsafe, Type } from '@sinclair/typebox'
import { isAlive } from '../gateway/instance-lease.js'
import { iso, isoOrNull } from '../sql.js'
import { textOrNullSchema, timeOrNullSchema, timeSchema, viewSchema } from '../view-schema.js'

export type DeviceKind = 'client' | 'server'

/** A device as the API shows it. Neither its token nor its device code is in it. */
export interface Device {
  readonly id: string
  readonly name: string
  readonly kind: DeviceKind
  readonly approved: boolean
  readonly userCode: string
  /** When the wait for approval ends; null once approved. */
  readonly expiresAt: string | null
  readonly online: boolean
  /** While it is online: now. */
  readonly lastSeenAt: string | null
  /** Of the agent, as it last said hello. */
  readonly version: string | null
  readonly organisationId: string | null
  readonly ownerId: string | null
  readonly createdAt: string
}

export const deviceKindSchema: TUnsafe<DeviceKind> = viewSchema<DeviceKind>()(
  Type.Union([Type.Literal('client'), Type.Literal('server')]),
)

export const deviceSchema: TUnsafe<Device> = viewSchema<Device>()(
  Type.Object(
    {
      id: Type.String({ format: 'uuid' }),
      name: Type.String(),
      kind: deviceKindSchema,
      approved: Type.Boolean(),
      userCode: Type.String(),
      expiresAt: timeOrNullSchema,
      online: Type.Boolean(),
      lastSeenAt: timeOrNullSchema,
      version: textOrNullSchema,
      organisationId: textOrNullSchema,
      ownerId: textOrNullSchema,
      createdAt: timeSchema,
    },
    { $id: 'Device' },
  ),
)

export interface DeviceRow {
  readonly id: string
  readonly name: string
  readonly kind: DeviceKind
  readonly owner_id: string | null
  readonly organisation_id: string | null
  readonly user_code: string
  readonly expires_at: Date | string
  readonly approved_at: Date | string | null
  readonly last_seen_at: Date | string | null
  readonly version: string | null
  readonly created_at: Date | string
  /** Another instance of the panel says that it is connected there. */
  readonly online_elsewhere: boolean
}

/** The columns of a `DeviceRow` of `tunnel_devices d`, for the instance whose id is the parameter `$n`. */
export function deviceColumns(instance: `$${number}`): string {
  return `d.id, d.name, d.kind, d.owner_id, d.organisation_id, d.user_code, d.expires_at, d.approved_at, d.last_seen_at,
    d.version, d.created_at,
    COALESCE(d.instance_id <> ${instance}::uuid AND ${isAlive('d.instance_id')}, false) AS online_elsewhere`
}

export function toDevice(row: DeviceRow, onlineHere: boolean): Device {
  const online = onlineHere || row.online_elsewhere
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    approved: row.approved_at !== null,
    userCode: row.user_code,
    expiresAt: row.approved_at === null ? iso(row.expires_at) : null,
    online,
    lastSeenAt: online ? new Date().toISOString() : isoOrNull(row.last_seen_at),
    version: row.version,
    organisationId: row.organisation_id,
    ownerId: row.owner_id,
    createdAt: iso(row.created_at),
  }
}
