import type { Database, Sql } from '@sallyport/core'
import type { ConnectionAttempt } from '@sallyport/tunnel'

/** Players who are here, counted for each account over all its tunnels, all relays and all panels. */
export interface Seats {
  /** Takes a seat; false when none is free. Taking the same one again is no second seat. */
  take(player: Seat, accountId: string, maxPlayers: number): Promise<boolean>
  /** Frees them. Those that are not taken are passed over. */
  free(players: readonly Seat[]): Promise<void>
  /** Forgets who is on these relays. */
  forget(relayIds: readonly string[]): Promise<void>
}

type Seat = Pick<ConnectionAttempt, 'relayId' | 'allocationId' | 'remoteAddress' | 'remotePort'>

/** Should an end never be told. What is older counts no longer. */
const longestStay = '12 hours'

export function createSeats(database: Database, sql: Sql): Seats {
  return {
    take: ({ relayId, allocationId, remoteAddress, remotePort }, accountId, maxPlayers) =>
      database.transaction(async (transaction) => {
        // Two who come at once must not both get the last seat.
        await sql(`SELECT pg_advisory_xact_lock(hashtextextended('policy:' || $1, 0))`, [accountId], transaction)
        const taken = await sql(
          `INSERT INTO policy_seats (relay_id, allocation_id, address, port, account_id)
           SELECT $1, $2::bigint, $3::inet, $4::integer, $5
           WHERE (
             SELECT count(*) FROM policy_seats s
             WHERE s.account_id = $5 AND s.since > now() - interval '${longestStay}'
               AND (s.relay_id, s.allocation_id, s.address, s.port) IS DISTINCT FROM ($1, $2::bigint, $3::inet, $4::integer)
           ) < $6::integer
           ON CONFLICT (relay_id, allocation_id, address, port) DO UPDATE SET since = now(), account_id = EXCLUDED.account_id
           RETURNING account_id`,
          [relayId, allocationId, remoteAddress, remotePort, accountId, maxPlayers],
          transaction,
        )
        return taken.length > 0
      }),
    async free(players) {
      if (players.length === 0) return
      await sql(
        `DELETE FROM policy_seats s USING jsonb_to_recordset($1::jsonb)
           AS gone ("relayId" text, "allocationId" bigint, "remoteAddress" inet, "remotePort" integer)
         WHERE (s.relay_id, s.allocation_id, s.address, s.port)
             = (gone."relayId", gone."allocationId", gone."remoteAddress", gone."remotePort")
            OR s.since < now() - interval '${longestStay}'`,
        [
          JSON.stringify(
            players.map(({ relayId, allocationId, remoteAddress, remotePort }) => {
              return { relayId, allocationId, remoteAddress, remotePort }
            }),
          ),
        ],
      )
    },
    async forget(relayIds) {
      await sql('DELETE FROM policy_seats WHERE relay_id IN (SELECT jsonb_array_elements_text($1::jsonb))', [
        JSON.stringify(relayIds),
      ])
    },
  }
}
