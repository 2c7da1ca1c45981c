import type { Settings, SettingsHandle } from '@sallyport/core'
import { type TUnsafe, Type } from '@sinclair/typebox'
import type { Transaction } from 'sequelize'
import type { Ownership } from './access.js'
import { tunnelErrors } from './errors.js'
import { lock, type Sql } from './sql.js'

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

/**
 * Makes sure that `wanted` more allocations are within the quota, and stay so until the transaction ends: whoever else
 * allocates for the same owner waits. A device of an organisation counts against the organisation, any other against
 * its owner, one without an owner for itself.
 * @throws `TUNNEL_ERR_QUOTA_EXCEEDED`
 */
export async function takeQuota(
  sql: Sql,
  transaction: Transaction,
  quotas: QuotaSettings,
  device: Ownership,
  wanted: number,
): Promise<void> {
  const { id, ownerId, organisationId } = device
  const [subject, limit] =
    organisationId !== null
      ? [`organisation:${organisationId}`, quotas.allocationsPerOrganisation]
      : [ownerId === null ? `device:${id}` : `user:${ownerId}`, quotas.allocationsPerUser]
  await lock(sql, transaction, 'quota', subject)
  const [used] = await sql<{ counted: number; of_device: number }>(
    `SELECT count(*)::integer AS counted, count(*) FILTER (WHERE d.id = $1::uuid)::integer AS of_device
     FROM tunnel_allocations a JOIN tunnel_devices d ON d.id = a.device_id
     WHERE CASE
       WHEN $2::text IS NOT NULL THEN d.organisation_id = $2::text
       WHEN $3::text IS NOT NULL THEN d.organisation_id IS NULL AND d.owner_id = $3::text
       ELSE d.id = $1::uuid END`,
    [id, organisationId, ownerId],
    transaction,
  )
  if ((used?.counted ?? 0) + wanted > limit) throw tunnelErrors.QUOTA_EXCEEDED({ limit })
  if ((used?.of_device ?? 0) + wanted > maxAllocationsPerDevice) {
    throw tunnelErrors.QUOTA_EXCEEDED({ limit: maxAllocationsPerDevice })
  }
}
