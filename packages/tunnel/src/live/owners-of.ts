import type { Sql } from '@sallyport/core'
import type { ChangedOwners } from './view.js'

interface OwnerRow {
  readonly owner_id: string | null
  readonly organisation_id: string | null
}

/** Finds whose devices are, in one statement for all that changed; of those that are gone nothing is known. */
export function createOwnersOf(sql: Sql): (deviceIds: readonly string[]) => Promise<ChangedOwners> {
  return async (deviceIds) => {
    if (deviceIds.length === 0) return { ownerIds: new Set(), organisationIds: new Set() }
    const rows = await sql<OwnerRow>(
      `SELECT DISTINCT owner_id, organisation_id FROM tunnel_devices
       WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))`,
      [JSON.stringify([...new Set(deviceIds)])],
    )
    return {
      ownerIds: new Set(rows.flatMap(({ owner_id }) => owner_id ?? [])),
      organisationIds: new Set(rows.flatMap(({ organisation_id }) => organisation_id ?? [])),
    }
  }
}
