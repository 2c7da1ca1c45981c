import type { Settings, SettingsHandle, Sql, UserDirectory } from '@sallyport/core'
import { type TUnsafe, Type } from '@sinclair/typebox'
import type { Transaction } from 'sequelize'
import type { Ownership } from '../access.js'

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
export const maxAllocationsPerDevice = 1_024

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
  const { ownerId, organisationId } = device
  const subject = subjectOf(device)
  if (organisationId !== null) {
    const own = (await directory?.findOrganisation?.(organisationId))?.quotas?.['allocationsPerOrganisation']
    return { subject, limit: own ?? settings.allocationsPerOrganisation }
  }
  if (ownerId === null) return { subject, limit: settings.allocationsPerUser }
  const own = (await directory?.findById(ownerId))?.quotas?.['allocationsPerUser']
  return { subject, limit: own ?? settings.allocationsPerUser }
}

/** Names what a device's allocations count against. */
export function subjectOf({ id, ownerId, organisationId }: Ownership): string {
  if (organisationId !== null) return `organisation:${organisationId}`
  return ownerId === null ? `device:${id}` : `user:${ownerId}`
}

/** The name of the lock on a subject: whoever adds to it, or revokes devices that count for it, takes this one first. */
export function quotaLock(subject: string): string {
  return `quota:${subject}`
}

/**
 * Counts the allocations of subjects. The caller holds the locks on them.
 * @param owners by subject, a device that counts for it
 */
export async function countBySubject(
  sql: Sql,
  transaction: Transaction,
  owners: ReadonlyMap<string, Ownership>,
): Promise<Map<string, number>> {
  const subjects = [...owners].map(([subject, { id, ownerId, organisationId }]) => ({
    subject,
    device: organisationId === null && ownerId === null ? id : null,
    owner: organisationId === null ? ownerId : null,
    organisation: organisationId,
  }))
  const counted = await sql<{ subject: string; allocations: number }>(
    `WITH s AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS s (subject text, device uuid, owner text, organisation text)),
     theirs AS (
       SELECT s.subject, d.id FROM s JOIN tunnel_devices d ON d.organisation_id = s.organisation
       UNION ALL
       SELECT s.subject, d.id FROM s JOIN tunnel_devices d ON d.owner_id = s.owner AND d.organisation_id IS NULL
       UNION ALL
       SELECT s.subject, s.device FROM s WHERE s.device IS NOT NULL)
     SELECT t.subject, count(*)::integer AS allocations
     FROM theirs t JOIN tunnel_allocations a ON a.device_id = t.id GROUP BY t.subject`,
    [JSON.stringify(subjects)],
    transaction,
  )
  return new Map(counted.map((row) => [row.subject, row.allocations]))
}

export interface HeldDevice {
  readonly id: string
  /** Approved, with a token in force. */
  readonly usable: boolean
  readonly allocations: number
}

/** The devices, kept from being deleted until the transaction ends. */
export async function holdDevices(
  sql: Sql,
  transaction: Transaction,
  deviceIds: readonly string[],
): Promise<Map<string, HeldDevice>> {
  const rows = await sql<HeldDevice>(
    `SELECT d.id, d.approved_at IS NOT NULL AND d.token_id IS NOT NULL AS usable,
       (SELECT count(*)::integer FROM tunnel_allocations a WHERE a.device_id = d.id) AS allocations
     FROM tunnel_devices d WHERE d.id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))
     ORDER BY d.id FOR KEY SHARE OF d`,
    [JSON.stringify(deviceIds)],
    transaction,
  )
  return new Map(rows.map((row) => [row.id, row]))
}
