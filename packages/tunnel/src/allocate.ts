import type { Database, Principal, SettingsHandle } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import {
  type Allocation,
  type AllocationRow,
  type LiveAllocations,
  selectAllocationsFrom,
  toAllocation,
} from './allocation.js'
import type { AuditTrail, Caller } from './audit-trail.js'
import type { ChangeFeed } from './change-feed.js'
import type { PortRange } from './config.js'
import type { Devices, OwnedDevice } from './devices.js'
import { tunnelErrors } from './errors.js'
import { createInTurn } from './in-turn.js'
import { checkLocalHost } from './local-host.js'
import { choosePort, type Protocol } from './ports.js'
import { type QuotaSettings, takeQuota } from './quotas.js'
import type { Sql } from './sql.js'

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
  const { database, sql, devices, quotas, portRange, chooseRelay, snapshot, feed, audit } = options
  const inTurn = createInTurn('Too many allocations are being made')

  /** Keeps the device from being deleted or revoked until the transaction ends. */
  const holdDevice = async (device: OwnedDevice, transaction: Transaction): Promise<void> => {
    const [held] = await sql<{ usable: boolean }>(
      `SELECT approved_at IS NOT NULL AND token_id IS NOT NULL AS usable FROM tunnel_devices
       WHERE id = $1::uuid AND owner_id IS NOT DISTINCT FROM $2::text AND organisation_id IS NOT DISTINCT FROM $3::text
       FOR SHARE`,
      [device.id, device.ownerId, device.organisationId],
      transaction,
    )
    if (!held) throw tunnelErrors.DEVICE_UNKNOWN()
    if (!held.usable) throw tunnelErrors.DEVICE_NOT_APPROVED()
  }

  const insert = async (
    device: OwnedDevice,
    request: AllocationRequest,
    relay: ChosenRelay,
  ): Promise<AllocationRow[]> => {
    const protocols: readonly Protocol[] = request.protocol === 'both' ? ['tcp', 'udp'] : [request.protocol]
    const localHost = checkLocalHost(request.localHost ?? defaultLocalHost)
    return database.transaction(async (transaction) => {
      await takeQuota(sql, transaction, quotas.value, device, protocols.length)
      await holdDevice(device, transaction)
      const wanted = { hostGroup: relay.hostGroup, protocols, port: request.port }
      const port = await choosePort(sql, transaction, portRange, wanted)
      return sql<AllocationRow>(
        `WITH made AS (
           INSERT INTO tunnel_allocations
             (device_id, relay_id, host_group, protocol, port, local_host, local_port, name)
           SELECT $1::uuid, $2, $3, protocol, $5, $6, $7, $8 FROM jsonb_array_elements_text($4::jsonb) AS p (protocol)
           RETURNING *)
         ${selectAllocationsFrom('made')} ORDER BY a.protocol`,
        [
          device.id,
          relay.id,
          relay.hostGroup,
          JSON.stringify(protocols),
          port,
          localHost,
          request.localPort,
          request.name ?? null,
        ],
        transaction,
      )
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
    throw tunnelErrors.NO_PORTS_AVAILABLE(undefined, { retryAfter: retryAfterSeconds })
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
