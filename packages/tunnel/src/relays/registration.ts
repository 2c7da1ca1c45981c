import type { Database, Logger, Sealer, Sql } from '@sallyport/core'
import type { Encryption } from '@sallyport/relay'
import { isAlive } from '../gateway/instance-lease.js'
import { lock } from '../sql.js'
import { aheadOfDatabase } from './clock-offset.js'
import type { RelayLoad } from './steered-relay.js'

/** What a relay says of itself. */
export interface RelayDescription {
  readonly id: string
  readonly kind: 'embedded' | 'standalone'
  readonly host: string
  readonly dataPort: number
  readonly fingerprint: string | undefined
  readonly encryption: Encryption
  /** Default: the host in lower case. */
  readonly hostGroup: string | undefined
  readonly region: string | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
  readonly capacity: number | undefined
  readonly portRange: { readonly from: number; readonly to: number } | undefined
  readonly ticketKey: Uint8Array
  /** Its clock minus this process's. */
  readonly clockOffsetMs: number
  readonly version: string
}

/** What changes while a relay is there. */
export interface RelayReport extends RelayLoad {
  readonly clockOffsetMs: number
}

/** Writes down which relays there are, and which of them this instance steers. */
export interface Registration {
  /** This instance steers the relay from now on. False: it is stand-alone and its device is gone. */
  register(relay: RelayDescription): Promise<boolean>
  /** It is not here any more; nothing happens when another instance steers it by now. */
  unregister(relayId: string): Promise<void>
  /** Writes what is different. Gives those that this instance steers by the database. */
  refresh(reports: ReadonlyMap<string, RelayReport>): Promise<Set<string>>
  /** Whether a living other instance steers it. */
  isHeld(relayId: string): Promise<boolean>
  /**
   * Takes the id of an embedded relay that is about to start. False: a living other instance has it. Of several that ask at one
   * time one gets it.
   */
  claim(relayId: string, host: string): Promise<boolean>
  /** Nobody steers any relay: for a database that only one process has. */
  clear(): Promise<void>
}

interface RegistrationOptions {
  readonly database: Database
  readonly sql: Sql
  readonly logger: Logger
  readonly sealer: Sealer
  readonly instanceId: string
}

/** `last_seen_at` of a relay that is there is older by this at most. */
const seenSeconds = 15
/** Less is the network's doing. */
const clockToleranceMs = 1_000

export function createRegistration(options: RegistrationOptions): Registration {
  const { database, sql, logger, sealer, instanceId } = options

  /** One name, one set of ports: what it served under another name it serves under this, where nobody has the port. */
  const takeAlong = async (relayId: string, hostGroup: string): Promise<void> => {
    const held = `SELECT FROM tunnel_allocations b
      WHERE b.host_group = $2 AND b.port = a.port AND b.protocol = a.protocol`
    try {
      await sql(
        `UPDATE tunnel_allocations a SET host_group = $2
         WHERE a.relay_id = $1 AND a.host_group <> $2 AND NOT EXISTS (${held})`,
        [relayId, hostGroup],
      )
    } catch (error) {
      logger.warn({ err: error, relayId, hostGroup }, 'allocations stay in the host group that their relay has left')
    }
  }

  return {
    async register(relay) {
      const hostGroup = relay.hostGroup ?? relay.host.toLowerCase()
      const standalone = relay.kind === 'standalone'
      const rows = await sql<{ id: string }>(
        `INSERT INTO tunnel_relays (id, kind, device_id, host, data_port, host_group, region, labels, capacity, port_from,
           port_to, ticket_key, clock_offset, version, instance_id, fingerprint, encryption, draining)
         SELECT $1::text, $2::text, ${standalone ? 'd.id' : 'NULL::uuid'}, $3::text, $4::integer, $5::text, $6::text, $7::jsonb,
           $8::integer, $9::integer, $10::integer, $11::text, ${aheadOfDatabase('$12::float8', '$15')}, $13::text, $14::uuid,
           $16::text, $17::text, false
         ${standalone ? 'FROM tunnel_devices d WHERE d.id = ($1::text)::uuid' : ''}
         ON CONFLICT (id) DO UPDATE SET
           kind = excluded.kind, device_id = excluded.device_id, host = excluded.host, data_port = excluded.data_port,
           host_group = excluded.host_group, region = excluded.region, labels = excluded.labels,
           capacity = excluded.capacity, port_from = excluded.port_from, port_to = excluded.port_to,
           ticket_key = excluded.ticket_key, clock_offset = excluded.clock_offset, version = excluded.version,
           instance_id = excluded.instance_id, fingerprint = excluded.fingerprint,
           encryption = excluded.encryption, draining = excluded.draining, last_seen_at = now()
         RETURNING id`,
        [
          relay.id,
          relay.kind,
          relay.host,
          relay.dataPort,
          hostGroup,
          relay.region ?? null,
          JSON.stringify(relay.labels ?? {}),
          relay.capacity ?? null,
          relay.portRange?.from ?? null,
          relay.portRange?.to ?? null,
          sealer.seal(relay.ticketKey, relay.id),
          relay.clockOffsetMs,
          relay.version,
          instanceId,
          Date.now(),
          relay.fingerprint ?? null,
          relay.encryption,
        ],
      )
      if (rows.length === 0) return false
      await takeAlong(relay.id, hostGroup)
      return true
    },
    async unregister(relayId) {
      await sql(
        `UPDATE tunnel_relays SET instance_id = NULL, devices = 0, connections = 0, last_seen_at = now()
         WHERE id = $1 AND instance_id = $2::uuid`,
        [relayId, instanceId],
      )
    },
    async refresh(reports) {
      if (reports.size === 0) return new Set()
      const rows = [...reports].map(([id, { devices, connections, draining, clockOffsetMs }]) => ({
        id,
        devices,
        connections,
        draining,
        ahead: clockOffsetMs,
      }))
      await sql(
        `UPDATE tunnel_relays r SET
           devices = l.devices, connections = l.connections, draining = l.draining, clock_offset = l.ahead,
           last_seen_at = now()
         FROM (
           SELECT t.id, t.devices, t.connections, t.draining, ${aheadOfDatabase('t.ahead', '$5')} AS ahead
           FROM jsonb_to_recordset($1::jsonb)
             AS t (id text, devices integer, connections integer, draining boolean, ahead float8)) AS l
         WHERE r.id = l.id AND r.instance_id = $2::uuid AND (
           (r.devices, r.connections, r.draining) IS DISTINCT FROM (l.devices, l.connections, l.draining)
           OR abs(r.clock_offset::bigint - l.ahead) > $4 OR r.last_seen_at < now() - make_interval(secs => $3))`,
        [JSON.stringify(rows), instanceId, seenSeconds, clockToleranceMs, Date.now()],
      )
      const mine = await sql<{ id: string }>('SELECT id FROM tunnel_relays WHERE instance_id = $1::uuid', [instanceId])
      return new Set(mine.map(({ id }) => id))
    },
    async isHeld(relayId) {
      const [row] = await sql<{ id: string }>(
        `SELECT r.id FROM tunnel_relays r
         WHERE r.id = $1 AND r.instance_id <> $2::uuid AND ${isAlive('r.instance_id')}`,
        [relayId, instanceId],
      )
      return row !== undefined
    },
    async claim(relayId, host) {
      return database.transaction(async (transaction) => {
        await lock(sql, transaction, `relay:${relayId}`)
        // Draining until it is registered: nobody is to choose it before it serves.
        const rows = await sql<{ id: string }>(
          `INSERT INTO tunnel_relays AS r (id, kind, host, data_port, host_group, instance_id, draining)
           VALUES ($1::text, 'embedded', $3::text, 0, lower($3::text), $2::uuid, true)
           ON CONFLICT (id) DO UPDATE SET instance_id = excluded.instance_id, draining = true
             WHERE r.instance_id IS NULL OR r.instance_id = $2::uuid OR NOT ${isAlive('r.instance_id')}
           RETURNING r.id`,
          [relayId, instanceId, host],
          transaction,
        )
        return rows.length > 0
      })
    },
    async clear() {
      await sql('UPDATE tunnel_relays SET instance_id = NULL WHERE instance_id IS NOT NULL')
    },
  }
}
