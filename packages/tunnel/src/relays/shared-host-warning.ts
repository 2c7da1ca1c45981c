import type { Logger, Sql } from '@sallyport/core'
import { isAlive } from '../gateway/instance-lease.js'
import type { RelayDescription } from './registration.js'

/** A name that every machine has for itself. */
const ownName = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i
/** Relays that it was said of; more are not remembered. */
const maxSaid = 1_024
const maxNamed = 5

/**
 * Warns, once for each relay, when one that was given no public name shares its ports with others: relays of one name stand in for each
 * other, and those of different machines cannot. Never rejects.
 */
export function createSharedHostWarning(sql: Sql, logger: Logger): (relay: RelayDescription) => Promise<void> {
  const said = new Set<string>()

  return async ({ id, host, hostGroup }) => {
    if (hostGroup !== undefined || !ownName.test(host) || said.has(id) || said.size >= maxSaid) return
    try {
      const others = await sql<{ id: string }>(
        `SELECT r.id FROM tunnel_relays r
         WHERE r.host_group = lower($1) AND r.id <> $2 AND ${isAlive('r.instance_id')} ORDER BY r.id LIMIT ${maxNamed}`,
        [host, id],
      )
      if (others.length === 0) return
      said.add(id)
      logger.warn(
        { relayId: id, host, others: others.map((other) => other.id) },
        `relays share the name ${host}, and so one set of ports: give each its --public-host, or all a --host-group if that is meant`,
      )
    } catch (error) {
      logger.warn({ err: error, relayId: id }, 'it is not known whether relays share a name')
    }
  }
}
