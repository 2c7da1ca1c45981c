import { randomUUID } from 'node:crypto'
import { coreErrors, type RateLimits, type Sql, type UserDirectory } from '@sallyport/core'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { EnrolmentConfig } from '../config.js'
import { type Device, type DeviceRow, deviceColumns, toDevice } from '../devices/device.js'
import { tunnelErrors } from '../errors.js'
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
   */
  approve(request: ApprovalRequest, by: Caller): Promise<Device>
  deny(userCode: string, by: Caller): Promise<void>
}

interface ApprovalOptions {
  readonly sql: Sql
  readonly rateLimits: RateLimits
  readonly directory: UserDirectory | undefined
  readonly audit: AuditTrail
  readonly config: EnrolmentConfig
  readonly instanceId: string
}

const guessWindowSeconds = 600

export function createApproval({ sql, rateLimits, directory, audit, config, instanceId }: ApprovalOptions): Approval {
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

  const assertOwner = async (ownerId: string | undefined): Promise<void> => {
    if (ownerId === undefined || !directory) return
    const user = await directory.findById(ownerId)
    if (!user || user.suspended) throw tunnelErrors.OWNER_UNKNOWN()
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
      await assertOwner(ownerId)
      const [row] = await sql<DeviceRow>(
        `UPDATE tunnel_devices AS d SET
           approved_at = clock_timestamp(),
           owner_id = COALESCE($2::text, owner_id, $3::text),
           organisation_id = COALESCE($4::text, organisation_id),
           name = COALESCE($5::text, name),
           token_id = $6::uuid,
           started_by = NULL,
           expires_at = clock_timestamp() + make_interval(secs => $7)
         WHERE user_code = $1 AND approved_at IS NULL AND denied_at IS NULL AND expires_at > clock_timestamp()
         RETURNING ${deviceColumns('$8')}`,
        [
          code,
          ownerId ?? null,
          by.principal?.userId ?? null,
          organisationId ?? null,
          name ?? null,
          randomUUID(),
          config.lifetimeSeconds,
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
         WHERE user_code = $1 AND approved_at IS NULL AND denied_at IS NULL AND expires_at > clock_timestamp()
         RETURNING id, name`,
        [code],
      )
      if (!row) return refuse(code)
      await succeeded()
      await audit.device('denied', row.id, by, { name: row.name })
    },
  }
}
