import type { Settings, SettingsHandle, Sql, UserDirectory } from '@sallyport/core'
import { type TUnsafe, Type } from '@sinclair/typebox'
import type { Transaction } from 'sequelize'
import type { Ownership } from '../access.js'
import { tunnelErrors } from '../errors.js'

/** Settings section `quotas`. */
export interface QuotaSettings {
  readonly allocationsPerUser: number
  readonly allocationsPerOrganisation: number
}

const count = { minimum: 0, maximum: 1_000_000 }

const quotaSchema: TUnsafe<QuotaSettings> = Type.Unsafe<QuotaSettings>(
  Type.Object(
    {
      allocationsPerUser: Type.Integer({ ...count, default: 10 }),
      allocationsPerOrganisation: Type.Integer({ ...count, default: 50 }),
    },
    { additionalProperties: false },
  ),
)

/** What one message to an agent holds, whatever the quota. */
const maxAllocationsPerDevice = 1_024

export function defineQuotas(settings: Settings): Promise<SettingsHandle<QuotaSettings>> {
  return settings.define({ name: 'quotas', schema: quotaSchema })
}

/** Whose quota counts, and how far it goes. */
export interface Quota {
  /** Names it, for a lock. */
  readonly subject: string
  readonly limit: number
}

/**
 * Whose quota a device's allocations count against: its organisation's, else its owner's, or without an owner its own.
 * An organisation's or user's own limit, in the directory, stands in place of the settings'.
 */
export async function quotaOf(
  device: Ownership,
  settings: QuotaSettings,
  directory: UserDirectory | undefined,
): Promise<Quota> {
  const { id, ownerId, organisationId } = device
  if (organisationId !== null) {
    const own = (await directory?.findOrganisation?.(organisationId))?.quotas?.['allocationsPerOrganisation']
    return { subject: `organisation:${organisationId}`, limit: own ?? settings.allocationsPerOrganisation }
  }
  if (ownerId === null) return { subject: `device:${id}`, limit: settings.allocationsPerUser }
  const own = (await directory?.findById(ownerId))?.quotas?.['allocationsPerUser']
  return { subject: `user:${ownerId}`, limit: own ?? settings.allocationsPerUser }
}

/**
 * Makes sure that the device may have `wanted` more allocations, and keeps it from being deleted or revoked until the
 * transaction ends. The caller holds the lock on the quota's subject.
 * @throws `TUNNEL_ERR_QUOTA_EXCEEDED`, `TUNNEL_ERR_DEVICE_UNKNOWN`, `TUNNEL_ERR_DEVICE_NOT_APPROVED`
 */
export async function assertRoom(
  sql: Sql,
  transaction: Transaction,
  device: Ownership,
  limit: number,
  wanted: number,
): Promise<void> {
  const [held] = await sql<{ usable: boolean; counted: number; of_device: number }>(
    `SELECT d.approved_at IS NOT NULL AND d.token_id IS NOT NULL AS usable,
       (SELECT count(*)::integer FROM tunnel_allocations a WHERE a.device_id = d.id) AS of_device,
       (SELECT count(*)::integer FROM tunnel_allocations a JOIN tunnel_devices o ON o.id = a.device_id
        WHERE CASE
          WHEN $3::text IS NOT NULL THEN o.organisation_id = $3::text
          WHEN $2::text IS NOT NULL THEN o.organisation_id IS NULL AND o.owner_id = $2::text
          ELSE o.id = $1::uuid END) AS counted
     FROM tunnel_devices d
     WHERE d.id = $1::uuid AND d.owner_id IS NOT DISTINCT FROM $2::text
       AND d.organisation_id IS NOT DISTINCT FROM $3::text
     FOR SHARE OF d`,
    [device.id, device.ownerId, device.organisationId],
    transaction,
  )
  if (!held) throw tunnelErrors.DEVICE_UNKNOWN()
  if (!held.usable) throw tunnelErrors.DEVICE_NOT_APPROVED()
  if (held.counted + wanted > limit) throw tunnelErrors.QUOTA_EXCEEDED({ limit })
  if (held.of_device + wanted > maxAllocationsPerDevice) {
    throw tunnelErrors.QUOTA_EXCEEDED({ limit: maxAllocationsPerDevice })
  }
}
