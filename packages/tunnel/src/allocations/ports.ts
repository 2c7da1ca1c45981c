import { randomInt } from 'node:crypto'
import type { Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import type { PortRange } from '../config.js'

export type Protocol = 'tcp' | 'udp'

/** A number of a host group. */
export interface NumberedPort {
  readonly hostGroup: string
  readonly port: number
}

/** A public port that was given back and is kept for its device. */
export interface HeldPort extends NumberedPort {
  readonly protocol: Protocol
  readonly deviceId: string
  /** Of the allocation that had it. */
  readonly localPort: number
}

/** Who has ports, as far as it was looked at. */
export interface PortMap {
  /** Whether the device may have the number for all of these protocols: nobody else has it, nor is it kept for anybody else. */
  isFree(port: NumberedPort, protocols: readonly Protocol[], deviceId: string): boolean
  take(port: NumberedPort, protocols: readonly Protocol[]): void
}

interface TakenRow {
  readonly host_group: string
  readonly port: number
  readonly protocol: Protocol
  /** For whom it is kept; null: it is in use. */
  readonly held_by: string | null
}

const inUse = 'in use'

/** Looks at numbers. The caller holds the locks of their host groups, so that what is free stays free. */
export async function readPorts(sql: Sql, transaction: Transaction, ports: readonly NumberedPort[]): Promise<PortMap> {
  const rows = await sql<TakenRow>(
    `WITH c AS (SELECT DISTINCT * FROM jsonb_to_recordset($1::jsonb) AS c ("hostGroup" text, port integer))
     SELECT a.host_group, a.port, a.protocol, NULL::uuid AS held_by
     FROM c JOIN tunnel_allocations a ON a.host_group = c."hostGroup" AND a.port = c.port
     UNION ALL
     SELECT h.host_group, h.port, h.protocol, h.device_id
     FROM c JOIN tunnel_held_ports h ON h.host_group = c."hostGroup" AND h.port = c.port AND h.held_until > now()`,
    [JSON.stringify(ports)],
    transaction,
  )
  const owners = new Map(rows.map((row) => [keyOf(row.host_group, row.port, row.protocol), row.held_by ?? inUse]))
  return {
    isFree({ hostGroup, port }, protocols, deviceId) {
      return protocols.every((protocol) => (owners.get(keyOf(hostGroup, port, protocol)) ?? deviceId) === deviceId)
    },
    take({ hostGroup, port }, protocols) {
      for (const protocol of protocols) owners.set(keyOf(hostGroup, port, protocol), inUse)
    },
  }
}

/** What is kept for these devices. */
export async function readHeldPorts(
  sql: Sql,
  transaction: Transaction,
  deviceIds: readonly string[],
): Promise<HeldPort[]> {
  return sql<HeldPort>(
    `SELECT host_group AS "hostGroup", port, protocol, device_id AS "deviceId", local_port AS "localPort"
     FROM tunnel_held_ports
     WHERE device_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)) AND held_until > now()
     ORDER BY held_until DESC, port`,
    [JSON.stringify(deviceIds)],
    transaction,
  )
}

/**
 * Finds numbers that are free for all of these protocols and kept for nobody, from somewhere at random on, by looking at the
 * whole range.
 */
export async function scanFreePorts(
  sql: Sql,
  transaction: Transaction,
  hostGroup: string,
  { from, to }: PortRange,
  protocols: readonly Protocol[],
  count: number,
): Promise<number[]> {
  const rows = await sql<{ port: number }>(
    `SELECT p.port FROM generate_series($1::integer, $2::integer) AS p (port)
     WHERE NOT EXISTS (
       SELECT FROM tunnel_allocations a WHERE a.host_group = $3::text AND a.port = p.port
         AND a.protocol IN (SELECT jsonb_array_elements_text($4::jsonb)))
     AND NOT EXISTS (
       SELECT FROM tunnel_held_ports h WHERE h.host_group = $3::text AND h.port = p.port AND h.held_until > now()
         AND h.protocol IN (SELECT jsonb_array_elements_text($4::jsonb)))
     ORDER BY p.port < $5::integer, p.port LIMIT $6`,
    [from, to, hostGroup, JSON.stringify(protocols), randomInt(from, to + 1), count],
    transaction,
  )
  return rows.map(({ port }) => port)
}

/** Numbers of a range at random: what was just given back should not at once be another's. */
export function somePorts({ from, to }: PortRange, count: number): number[] {
  return Array.from({ length: count }, () => randomInt(from, to + 1))
}

function keyOf(hostGroup: string, port: number, protocol: Protocol): string {
  return `${protocol} ${port} ${hostGroup}`
}
