import type { Principal, Sql } from '@sallyport/core'
import { reachOf } from '../access.js'
import { type RelayRecord, toRelayRecord } from './relay-record.js'
import { type RelayRow, readRelays } from './relay-row.js'
import type { RelayLoad } from './steered-relay.js'

/**
 * Relays that a principal may know of: everybody's, its organisations' own, for administrators all. Throws 403 for an API key that
 * may not read tunnels.
 */
export type ListRelays = (principal: Principal) => Promise<RelayRecord[]>

/**
 * @param read all relays; by default from the database each time
 * @param loadOf of a relay that is steered here
 */
export function createRelayList(
  sql: Sql,
  loadOf: (relayId: string) => RelayLoad | undefined,
  read: () => Promise<Iterable<RelayRow>> = () => readRelays(sql),
): ListRelays {
  const organisationOf = async (deviceId: string): Promise<string[]> => {
    const rows = await sql<{ organisation_id: string | null }>(
      'SELECT organisation_id FROM tunnel_devices WHERE id = $1::uuid',
      [deviceId],
    )
    return rows.flatMap(({ organisation_id }) => organisation_id ?? [])
  }

  const visible = async (principal: Principal): Promise<(row: RelayRow) => boolean> => {
    const reach = reachOf(principal, 'read')
    if (reach.everyone) return () => true
    const mine = reach.deviceId === undefined ? reach.memberOf : await organisationOf(reach.deviceId)
    return ({ organisation_id }) => organisation_id === null || mine.includes(organisation_id)
  }

  return async (principal) => {
    const mayKnow = await visible(principal)
    const rows = [...(await read())]
    // A relay whose device was deleted may have been an organisation's: nobody but its allocations knows it.
    return rows.filter((row) => !row.gone_for_good && mayKnow(row)).map((row) => toRelayRecord(row, loadOf(row.id)))
  }
}
