import { randomInt } from 'node:crypto'
import type { Transaction } from 'sequelize'
import type { PortRange } from './config.js'
import { tunnelErrors } from './errors.js'
import { lock, type Sql } from './sql.js'

export type Protocol = 'tcp' | 'udp'

interface PortRequest {
  readonly hostGroup: string
  /** The port must be free for all of them. */
  readonly protocols: readonly Protocol[]
  /** A certain one, or any. */
  readonly port: number | undefined
}

const retryAfterSeconds = 30

/**
 * Finds a public port that is free in the host group for every protocol wanted. The group's lock is held until the
 * transaction ends, so nobody else is given the same one and nobody collides; the table's unique constraint stands
 * behind it. One statement finds the first free number after a random one: what was just given back is not at once
 * another's.
 * @throws `TUNNEL_ERR_PORT_OUT_OF_RANGE` (400), `TUNNEL_ERR_PORT_TAKEN` (409), `TUNNEL_ERR_NO_PORTS_AVAILABLE` (503)
 */
export async function choosePort(
  sql: Sql,
  transaction: Transaction,
  range: PortRange,
  { hostGroup, protocols, port }: PortRequest,
): Promise<number> {
  const { from, to } = range
  if (port !== undefined && (port < from || port > to)) throw tunnelErrors.PORT_OUT_OF_RANGE({ from, to })
  await lock(sql, transaction, 'ports', hostGroup)
  const [first, last] = port === undefined ? [from, to] : [port, port]
  const [free] = await sql<{ port: number }>(
    `SELECT p.port FROM generate_series($1::integer, $2::integer) AS p (port)
     WHERE NOT EXISTS (
       SELECT FROM tunnel_allocations a
       WHERE a.host_group = $3::text AND a.port = p.port
         AND a.protocol IN (SELECT jsonb_array_elements_text($4::jsonb)))
     ORDER BY p.port < $5::integer, p.port LIMIT 1`,
    [first, last, hostGroup, JSON.stringify(protocols), randomInt(from, to + 1)],
    transaction,
  )
  if (free) return free.port
  if (port !== undefined) throw tunnelErrors.PORT_TAKEN({ port })
  throw tunnelErrors.NO_PORTS_AVAILABLE(undefined, { retryAfter: retryAfterSeconds })
}
