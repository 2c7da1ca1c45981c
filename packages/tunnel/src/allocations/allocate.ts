import type { Database, Principal, SettingsHandle, Sql, UserDirectory } from '@sallyport/core'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { ChangeFeed } from '../change-feed.js'
import type { PortRange } from '../config.js'
import type { Devices, OwnedDevice } from '../devices/devices.js'
import { tunnelErrors } from '../errors.js'
import { lock } from '../sql.js'
import { createTransactionLine } from '../waiting-transactions.js'
import {
  type Allocation,
  type AllocationRow,
  type LiveAllocations,
  selectAllocationsFrom,
  toAllocation,
} from './allocation.js'
import { checkLocalHost } from './local-host.js'
import { type Protocol, searchPorts, selectFreePort } from './ports.js'
import { assertRoom, type QuotaSettings, quotaOf } from './quotas.js'

export interface AllocationRequest {
  readonly deviceId: string | undefined
  readonly protocol: Protocol | 'both'
  readonly localHost: string | undefined
  readonly localPort: number
  /** Wanted public port. */
  readonly port: number | undefined
  readonly name: string | undefined
}

interface ChosenRelay {
  readonly id: string
  readonly hostGroup: string
}

/** Which relay serves a new allocation. */
export type ChooseRelay = () => ChosenRelay | undefined

interface AllocateOptions {
  readonly database: Database
  readonly sql: Sql
  readonly devices: Devices
  readonly quotas: SettingsHandle<QuotaSettings>
  readonly directory: UserDirectory | undefined
  readonly portRange: PortRange
  readonly chooseRelay: ChooseRelay
  readonly snapshot: () => LiveAllocations
  readonly feed: ChangeFeed
  readonly audit: AuditTrail
}

const defaultLocalHost = '127.0.0.1'
const retryAfterSeconds = 30
/** Numbers tried one after the other when other programs on the relay's machine have them. */
const maxTries = 5

/**
 * Makes allocations: one, or for `both` one for TCP and one for UDP on one number, or nothing at all. Quota, port and
 * rows are one transaction. When it resolves, the relay of this instance has taken them.
 */
export function createAllocate(
  options: AllocateOptions,
): (request: AllocationRequest, by: Caller & { principal: Principal }) => Promise<Allocation[]> {
  const { database, sql, devices, quotas, directory, portRange, chooseRelay, snapshot, feed, audit } = options
  const inTurn = createTransactionLine('Too many allocations are being made')

  const noneFree = () => tunnelErrors.NO_PORTS_AVAILABLE(undefined, { retryAfter: retryAfterSeconds })

  const insert = async (
    device: OwnedDevice,
    request: AllocationRequest,
    relay: ChosenRelay,
  ): Promise<AllocationRow[]> => {
    const protocols: readonly Protocol[] = request.protocol === 'both' ? ['tcp', 'udp'] : [request.protocol]
    const localHost = checkLocalHost(request.localHost ?? defaultLocalHost)
    const { from, to, start } = searchPorts(portRange, request.port)
    // Before the transaction: on the embedded database nothing else is asked during one.
    const { subject, limit } = await quotaOf(device, quotas.value, directory)
    return database.transaction(async (transaction) => {
      await lock(sql, transaction, `quota:${subject}`, `ports:${relay.hostGroup}`)
      await assertRoom(sql, transaction, device, limit, protocols.length)
      const rows = await sql<AllocationRow>(
        `WITH free AS (${selectFreePort}), made AS (
           INSERT INTO tunnel_allocations
             (host_group, protocol, port, device_id, relay_id, local_host, local_port, name)
           SELECT $3::text, protocol, free.port, $6::uuid, $7, $8, $9, $10
           FROM free, jsonb_array_elements_text($4::jsonb) AS wanted (protocol)
           RETURNING *)
         ${selectAllocationsFrom('made')} ORDER BY a.protocol`,
        [
          from,
          to,
          relay.hostGroup,
          JSON.stringify(protocols),
          start,
          device.id,
          relay.id,
          localHost,
          request.localPort,
          request.name ?? null,
        ],
        transaction,
      )
      if (rows.length > 0) return rows
      throw request.port === undefined ? noneFree() : tunnelErrors.PORT_TAKEN({ port: request.port })
    })
  }

  /** Takes back what the relay cannot bind: another program has the number. */
  const takeBack = async (rows: readonly AllocationRow[]): Promise<void> => {
    await sql(
      `DELETE FROM tunnel_allocations WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))`,
      [JSON.stringify(rows.map(({ id }) => Number(id)))],
    )
    await feed.announce(rows.map((row) => row.device_id))
  }

  const place = async (
    device: OwnedDevice,
    request: AllocationRequest,
    relay: ChosenRelay,
  ): Promise<AllocationRow[]> => {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const rows = await inTurn(() => insert(device, request, relay))
      await feed.announce([device.id])
      const live = snapshot()
      if (!rows.some((row) => live.state(row) === 'failed')) return rows
      await takeBack(rows)
      if (request.port !== undefined) throw tunnelErrors.PORT_TAKEN({ port: request.port })
    }
    throw noneFree()
  }

  return async (request, by) => {
    const { principal } = by
    const deviceId = request.deviceId ?? (principal.kind === 'device' ? principal.id : undefined)
    if (deviceId === undefined) throw tunnelErrors.DEVICE_REQUIRED()
    const device = await devices.find(deviceId, principal, 'write')
    if (!device.approved) throw tunnelErrors.DEVICE_NOT_APPROVED()
    const relay = chooseRelay()
    if (!relay) throw tunnelErrors.NO_RELAY_AVAILABLE(undefined, { retryAfter: retryAfterSeconds })
    const rows = await place(device, request, relay)
    for (const row of rows) {
      const data = { deviceId: device.id, protocol: row.protocol, port: row.port }
      await audit.allocation('created', Number(row.id), by, data)
    }
    const live = snapshot()
    return rows.map((row) => toAllocation(row, live))
  }
}
