import { randomUUID } from 'node:crypto'
import { coreErrors, type RateLimits, type Sql, type UserDirectory } from '@sallyport/core'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { EnrolmentConfig } from '../config.js'
import { type Device, type DeviceKind, type DeviceRow, deviceColumns, toDevice } from '../devices/device.js'
import type { Owners } from '../devices/owners.js'
import { tunnelErrors } from '../errors.js'
import type { HookRunner } from '../hooks/hook-runner.js'
import { normaliseUserCode } from './user-code.js'

export interface ApprovalRequest {
  readonly userCode: string
  readonly ownerId: string | undefined
  readonly organisationId: string | undefined
  readonly name: string | undefined
}

/** Lets enrolments in, or not. Callers have been found to hold `tunnels:approve`. */
export interface Approval {
  /**
   * One statement redeems the code: of two approvals at the same time one wins and the other is 409. The owner is
   * `ownerId`, else whoever started the enrolment signed in, else the approver.
   * @throws `TUNNEL_ERR_OWNER_UNKNOWN`, `TUNNEL_ERR_ORGANISATION_UNKNOWN` (400); what `beforeEnrolment` throws
   */
  approve(request: ApprovalRequest, by: Caller): Promise<Device>
  deny(userCode: string, by: Caller): Promise<void>
}

interface ApprovalOptions {
  readonly sql: Sql
  readonly rateLimits: RateLimits
  readonly directory: UserDirectory | undefined
  readonly owners: Owners
  readonly hooks: HookRunner
  readonly audit: AuditTrail
  readonly config: EnrolmentConfig
  readonly instanceId: string
}

/** An enrolment that waits for its approval. */
interface PendingRow {
  readonly id: string
  readonly name: string
  readonly kind: DeviceKind
  readonly owner_id: string | null
  readonly organisation_id: string | null
}

const guessWindowSeconds = 600
const isPending = 'approved_at IS NULL AND denied_at IS NULL AND expires_at > clock_timestamp()'

export function createApproval(options: ApprovalOptions): Approval {
  const { sql, rateLimits, directory, owners, hooks, audit, config, instanceId } = options
  const guesses = { name: 'tunnel.user-code', points: config.maxGuesses, windowSeconds: guessWindowSeconds }

  /** Counts an attempt; a right code gives the count back. */
  const attempt = async (typed: string, by: Caller): Promise<{ code: string; succeeded(): Promise<void> }> => {
    const key = `${by.principal?.kind}:${by.principal?.id}`
    const decision = await rateLimits.consume(guesses, key)
    if (!decision.allowed) {
      throw coreErrors.TOO_MANY_REQUESTS(undefined, { retryAfter: decision.retryAfterSeconds })
    }
    const code = normaliseUserCode(typed)
    if (code === undefined) throw tunnelErrors.USER_CODE_UNKNOWN()
    return { code, succeeded: () => rateLimits.reset(guesses, key) }
  }

  const assertOrganisation = async (organisationId: string | undefined): Promise<void> => {
    if (organisationId === undefined || !directory?.findOrganisation) return
    if (!(await directory.findOrganisation(organisationId))) throw tunnelErrors.ORGANISATION_UNKNOWN()
  }

  /** Why no pending device has the code. */
  const refuse = async (code: string): Promise<never> => {
    const [row] = await sql<{ approved: boolean; denied: boolean }>(
      `SELECT approved_at IS NOT NULL AS approved, denied_at IS NOT NULL AS denied FROM tunnel_devices
       WHERE user_code = $1 ORDER BY created_at DESC LIMIT 1`,
      [code],
    )
    if (!row) throw tunnelErrors.USER_CODE_UNKNOWN()
    if (row.approved) throw tunnelErrors.ALREADY_APPROVED()
    throw row.denied ? tunnelErrors.ENROLMENT_DENIED() : tunnelErrors.ENROLMENT_EXPIRED()
  }

  return {
    async approve({ userCode, ownerId, organisationId, name }, by) {
      const { code, succeeded } = await attempt(userCode, by)
      const [pending] = await sql<PendingRow>(
        `SELECT id, name, kind, owner_id, organisation_id FROM tunnel_devices WHERE user_code = $1 AND ${isPending}`,
        [code],
      )
      if (!pending) return refuse(code)
      const owner = ownerId ?? pending.owner_id ?? by.principal?.userId ?? null
      const ownerStamp = await owners.stampOf(owner)
      await assertOrganisation(organisationId)
      const approved = {
        name: name ?? pending.name,
        kind: pending.kind,
        ownerId: owner,
        organisationId: organisationId ?? pending.organisation_id,
      }
      await hooks.beforeEnrolment({ stage: 'approve', ...approved, principal: by.principal, ip: by.ip })
      const [row] = await sql<DeviceRow>(
        `UPDATE tunnel_devices AS d SET
           approved_at = clock_timestamp(),
           owner_id = $3,
           owner_stamp = $4,
           organisation_id = $5,
           name = $6,
           token_id = $7::uuid,
           started_by = NULL,
           expires_at = clock_timestamp() + make_interval(secs => $8)
         WHERE id = $1::uuid AND user_code = $2 AND ${isPending}
           AND owner_id IS NOT DISTINCT FROM $9::text AND organisation_id IS NOT DISTINCT FROM $10::text
         RETURNING ${deviceColumns('$11')}`,
        [
          pending.id,
          code,
          owner,
          ownerStamp,
          approved.organisationId,
          approved.name,
          randomUUID(),
          config.lifetimeSeconds,
          pending.owner_id,
          pending.organisation_id,
          instanceId,
        ],
      )
      if (!row) return refuse(code)
      await succeeded()
      await audit.device('approved', row.id, by, {
        name: row.name,
        kind: row.kind,
        ownerId: row.owner_id,
        organisationId: row.organisation_id,
      })
      return toDevice(row, false)
    },

    async deny(userCode, by) {
      const { code, succeeded } = await attempt(userCode, by)
      const [row] = await sql<{ id: string; name: string }>(
        `UPDATE tunnel_devices SET denied_at = clock_timestamp(), started_by = NULL
         WHERE user_code = $1 AND ${isPending}
         RETURNING id, name`,
        [code],
      )
      if (!row) return refuse(code)
      await succeeded()
      await audit.device('denied', row.id, by, { name: row.name })
    },
  }
}
