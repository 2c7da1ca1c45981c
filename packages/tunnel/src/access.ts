import { coreErrors, type Principal, permits } from '@sallyport/core'
import { readPermission, writePermission } from './permissions.js'

/** Whose a device is. */
export interface Ownership {
  readonly id: string
  readonly ownerId: string | null
  readonly organisationId: string | null
}

/** Which devices a principal may see or change; `everyone` for administrators. */
export type Reach =
  | { readonly everyone: true }
  | {
      readonly everyone: false
      readonly deviceId?: string
      readonly userId?: string
      /** Organisations that it manages (owner or admin). */
      readonly manages: readonly string[]
      /** Organisations that it is in, with any role. */
      readonly memberOf: readonly string[]
    }

/**
 * How far a principal reaches. A user: its own devices and those of organisations that it manages; with the
 * permission: everyone's. An API key as its owner, but only if it was given the permission, else 403. A device: itself.
 */
export function reachOf(principal: Principal, access: 'read' | 'write'): Reach {
  if (principal.kind === 'device') return { everyone: false, deviceId: principal.id, manages: [], memberOf: [] }
  const permission = access === 'read' ? readPermission : writePermission
  if (permits(principal.permissions, permission)) return { everyone: true }
  if (principal.kind === 'apiKey' && !permits(principal.scopes ?? [], permission)) {
    throw coreErrors.PERMISSION_REQUIRED({ permission })
  }
  return {
    everyone: false,
    ...(principal.userId === undefined ? {} : { userId: principal.userId }),
    manages: principal.memberships.filter(({ role }) => role !== 'member').map(({ organisationId }) => organisationId),
    memberOf: principal.memberships.map(({ organisationId }) => organisationId),
  }
}

/**
 * Whether a device is within reach. A device of an organisation is its managers' business, and its owner's as long as
 * the owner is in the organisation.
 */
export function reaches(reach: Reach, device: Ownership): boolean {
  if (reach.everyone) return true
  if (reach.deviceId !== undefined) return reach.deviceId === device.id
  const owns = reach.userId !== undefined && device.ownerId === reach.userId
  if (device.organisationId === null) return owns
  return reach.manages.includes(device.organisationId) || (owns && reach.memberOf.includes(device.organisationId))
}

/** Whether it may know of the device at all. */
export function mayRead(principal: Principal, device: Ownership): boolean {
  const { kind, permissions, scopes = [] } = principal
  if (kind === 'apiKey' && !permits([...permissions, ...scopes], readPermission)) return false
  return reaches(reachOf(principal, 'read'), device)
}

/** The same as a condition on the table `tunnel_devices` under the alias `d`, with parameters from `$1` on. */
export function reachCondition(reach: Reach): { readonly text: string; readonly values: readonly (string | null)[] } {
  if (reach.everyone) return { text: 'true', values: [] }
  if (reach.deviceId !== undefined) return { text: 'd.id = $1::uuid', values: [reach.deviceId] }
  const text = `(
    (d.organisation_id IS NULL AND d.owner_id = $1::text)
    OR d.organisation_id IN (SELECT jsonb_array_elements_text($2::jsonb))
    OR (d.owner_id = $1::text AND d.organisation_id IN (SELECT jsonb_array_elements_text($3::jsonb))))`
  return { text, values: [reach.userId ?? null, JSON.stringify(reach.manages), JSON.stringify(reach.memberOf)] }
}
