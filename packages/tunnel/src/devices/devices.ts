import { randomUUID } from 'node:crypto'
import { coreErrors, type Principal, type Sql, type TokenIssuer } from '@sallyport/core'
import { mayRead, type Ownership, reachCondition, reaches, reachOf } from '../access.js'
import type { AuditTrail, Caller } from '../audit-trail.js'
import { createBatched } from '../batched.js'
import { tunnelErrors } from '../errors.js'
import { isDeviceId } from '../ids.js'
import type { OtherInstances } from '../other-instances.js'
import { type Device, type DeviceKind, type DeviceRow, deviceColumns, toDevice } from './device.js'
import type { Owners } from './owners.js'
import type { Revocation } from './revocation.js'

export interface OwnedDevice extends Ownership {
  readonly kind: DeviceKind
  readonly approved: boolean
}

export interface Devices {
  /** What the principal may see, newest first. Enrolments that ended are no devices. */
  list(principal: Principal): Promise<Device[]>
  /** @throws 404 when it isn't there or isn't the principal's to see, 403 when it may be seen but not changed */
  find(id: string, principal: Principal, access: 'read' | 'write'): Promise<OwnedDevice>
  /** One that waits for its approval may be renamed as well. */
  rename(id: string, name: string, by: Caller & { principal: Principal }): Promise<Device>
  /** Its allocations go with it, its channel is closed and its players are cut when this resolves. */
  remove(id: string, by: Caller & { principal: Principal }): Promise<void>
  /** Gives the new token; the old one is dead and its channel closed when this resolves. */
  regenerateToken(id: string, by: Caller & { principal: Principal }): Promise<string>
}

interface DevicesOptions {
  readonly sql: Sql
  readonly issuer: TokenIssuer
  readonly audit: AuditTrail
  readonly revocation: Revocation
  readonly owners: Owners
  readonly otherInstances: OtherInstances
  readonly isOnline: (deviceId: string) => boolean
  readonly instanceId: string
}

interface OwnershipRow {
  readonly id: string
  readonly kind: DeviceKind
  readonly owner_id: string | null
  readonly organisation_id: string | null
  readonly approved: boolean
}

/** Condition: an enrolment that ended is no device. */
const isListed = '(d.approved_at IS NOT NULL OR (d.denied_at IS NULL AND d.expires_at > now()))'
const lookUpBounds = { concurrency: 1, maxBatch: 256, maxWaiting: 10_000, waitTimeoutMs: 10_000 }
const retryAfterSeconds = 5

export function createDevices(options: DevicesOptions): Devices {
  const { sql, issuer, audit, revocation, owners, otherInstances, isOnline, instanceId } = options

  const lookUp = createBatched<string, OwnershipRow | undefined>({
    async work(ids) {
      const rows = await sql<OwnershipRow>(
        `SELECT id, kind, owner_id, organisation_id, approved_at IS NOT NULL AS approved FROM tunnel_devices
         WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))`,
        [JSON.stringify([...new Set(ids)])],
      )
      const found = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => found.get(id))
    },
    ...lookUpBounds,
    mayBePoison: () => false,
    busy: () => coreErrors.UNAVAILABLE({ reason: 'Too much is asked at once' }, { retryAfter: retryAfterSeconds }),
  })

  const find: Devices['find'] = async (id, principal, access) => {
    if (!isDeviceId(id)) throw tunnelErrors.DEVICE_UNKNOWN()
    const reach = reachOf(principal, access)
    const row = await lookUp.run(id.toLowerCase())
    if (!row) throw tunnelErrors.DEVICE_UNKNOWN()
    const { kind, approved } = row
    const device = { id: row.id, kind, ownerId: row.owner_id, organisationId: row.organisation_id, approved }
    if (reaches(reach, device)) return device
    if (access === 'write' && mayRead(principal, device)) throw coreErrors.FORBIDDEN()
    throw tunnelErrors.DEVICE_UNKNOWN()
  }

  return {
    async list(principal) {
      const reach = reachCondition(reachOf(principal, 'read'))
      const instance = `$${reach.values.length + 1}` as const
      const rows = await sql<DeviceRow>(
        `SELECT ${deviceColumns(instance as `$${number}`)} FROM tunnel_devices d
         WHERE ${reach.text} AND ${isListed}
         ORDER BY d.created_at DESC, d.id`,
        [...reach.values, instanceId],
      )
      return rows.map((row) => toDevice(row, isOnline(row.id)))
    },

    find,

    async rename(id, name, by) {
      const device = await find(id, by.principal, 'write')
      const [row] = await sql<DeviceRow & { readonly former_name: string }>(
        `UPDATE tunnel_devices AS d SET name = $2
         FROM (SELECT id, name FROM tunnel_devices WHERE id = $1::uuid FOR UPDATE) AS former
         WHERE d.id = former.id AND ${isListed}
         RETURNING ${deviceColumns('$3')}, former.name AS former_name`,
        [device.id, name, instanceId],
      )
      if (!row) throw tunnelErrors.DEVICE_UNKNOWN()
      if (row.former_name !== name) {
        const { kind } = device
        await audit.device('renamed', device.id, by, { name, formerName: row.former_name, kind })
      }
      return toDevice(row, isOnline(row.id))
    },

    async remove(id, by) {
      const device = await find(id, by.principal, 'write')
      await otherInstances.assertNotNeeded(device.id)
      const [gone] = await sql<{ name: string }>('DELETE FROM tunnel_devices WHERE id = $1::uuid RETURNING name', [
        device.id,
      ])
      if (!gone) throw tunnelErrors.DEVICE_UNKNOWN()
      await revocation.announce([device.id])
      await audit.device('deleted', device.id, by, { name: gone.name })
    },

    async regenerateToken(id, by) {
      const device = await find(id, by.principal, 'write')
      if (!device.approved) throw tunnelErrors.DEVICE_NOT_APPROVED()
      await otherInstances.assertNotNeeded(device.id)
      const ownerStamp = await owners.stampOf(device.ownerId)
      const tokenId = randomUUID()
      // The device code gives out nothing any more: whoever asked for a new token has it.
      const [changed] = await sql<{ name: string }>(
        `UPDATE tunnel_devices SET
           token_id = $2::uuid, owner_stamp = $3, redeemed_at = COALESCE(redeemed_at, now())
         WHERE id = $1::uuid AND approved_at IS NOT NULL AND owner_id IS NOT DISTINCT FROM $4::text RETURNING name`,
        [device.id, tokenId, ownerStamp, device.ownerId],
      )
      if (!changed) throw tunnelErrors.DEVICE_UNKNOWN()
      await revocation.announce([device.id])
      await audit.device('token_regenerated', device.id, by, { name: changed.name })
      return issuer.issue({ subject: device.id, id: tokenId })
    },
  }
}
