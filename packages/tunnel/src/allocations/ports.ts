import { randomInt } from 'node:crypto'
import type { PortRange } from '../config.js'
import { tunnelErrors } from '../errors.js'

export type Protocol = 'tcp' | 'udp'

/**
 * Selects a `port` of the range `$1` to `$2` that is free in the host group `$3` for every protocol of the JSON list
 * `$4`: the first from `$5` on, or else the first of all. The caller holds the group's lock, so that nobody else is
 * given the same one; the table's unique constraint stands behind it.
 */
export const selectFreePort = `
  SELECT p.port FROM generate_series($1::integer, $2::integer) AS p (port)
  WHERE NOT EXISTS (
    SELECT FROM tunnel_allocations a
    WHERE a.host_group = $3::text AND a.port = p.port
      AND a.protocol IN (SELECT jsonb_array_elements_text($4::jsonb)))
  ORDER BY p.port < $5::integer, p.port LIMIT 1`

/**
 * Where to look for a port: the wanted one only, or the whole range from somewhere at random, since what was just given
 * back should not at once be another's.
 * @throws `TUNNEL_ERR_PORT_OUT_OF_RANGE` (400)
 */
export function searchPorts(
  { from, to }: PortRange,
  wanted: number | undefined,
): PortRange & { readonly start: number } {
  if (wanted === undefined) return { from, to, start: randomInt(from, to + 1) }
  if (wanted < from || wanted > to) throw tunnelErrors.PORT_OUT_OF_RANGE({ from, to })
  return { from: wanted, to: wanted, start: wanted }
}
