import { randomUUID } from 'node:crypto'
import {
  addressKey,
  coreErrors,
  type Database,
  type Principal,
  permits,
  type RateLimits,
  type Sql,
} from '@sallyport/core'
import { type TUnsafe, Type } from '@sinclair/typebox'
import type { Transaction } from 'sequelize'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { EnrolmentConfig } from '../config.js'
import type { DeviceKind } from '../devices/device.js'
import { tunnelErrors } from '../errors.js'
import type { HookRunner } from '../hooks/hook-runner.js'
import { approvePermission, writePermission } from '../permissions.js'
import { iso, lock } from '../sql.js'
import { timeSchema, viewSchema } from '../view-schema.js'
import { createTransactionLine } from '../waiting-transactions.js'
import { generateDeviceCode, hashDeviceCode } from './device-code.js'
import { generateUserCode } from './user-code.js'

export interface EnrolmentRequest {
  readonly name: string
  readonly kind: DeviceKind
  readonly organisationId: string | undefined
}

/** Answer to `POST /api/tunnel/device/start` (RFC 8628 section 3.2). */
export interface Enrolment {
  /** 256 bits; only its SHA-256 is kept. */
  readonly deviceCode: string
  readonly userCode: string
  readonly verificationUri: string
  /** The same with the user code in it. */
  readonly verificationUriComplete: string
  readonly expiresAt: string
  /** Seconds between two polls. */
  readonly interval: number
}

export const enrolmentSchema: TUnsafe<Enrolment> = viewSchema<Enrolment>()(
  Type.Object(
    {
      deviceCode: Type.String(),
      userCode: Type.String(),
      verificationUri: Type.String({ format: 'uri' }),
      verificationUriComplete: Type.String({ format: 'uri', description: 'The same with the user code in it.' }),
      expiresAt: timeSchema,
      interval: Type.Number({ description: 'Seconds between two polls.' }),
    },
    { $id: 'Enrolment' },
  ),
)

interface EnrolmentOptions {
  readonly database: Database
  readonly sql: Sql
  readonly rateLimits: RateLimits
  readonly hooks: HookRunner
  readonly audit: AuditTrail
  readonly config: EnrolmentConfig
  readonly publicUrl: () => string
}

/** Collisions of user codes in a row before giving up; each has a chance of pending devices in 2^38. */
const maxCodeTries = 5
const retryAfterSeconds = 60

/** Starts enrolments. */
export function createEnrolment(
  options: EnrolmentOptions,
): (request: EnrolmentRequest, by: Caller) => Promise<Enrolment> {
  const { database, sql, rateLimits, hooks, audit, config, publicUrl } = options
  const inTurn = createTransactionLine('Too many devices are being enrolled')
  const anonymous = { name: 'tunnel.device-start', points: config.startsPerMinute, windowSeconds: 60 }
  const signedIn = { name: 'tunnel.device-start.user', points: config.startsPerMinuteSignedIn, windowSeconds: 60 }

  const throttle = async (startedBy: string, limit: typeof anonymous): Promise<void> => {
    const decision = await rateLimits.consume(limit, startedBy)
    if (!decision.allowed) {
      throw coreErrors.TOO_MANY_REQUESTS(undefined, { retryAfter: decision.retryAfterSeconds })
    }
  }

  const assertRoom = async (startedBy: string, transaction: Transaction): Promise<void> => {
    const [count] = await sql<{ anonymous: number; own: number }>(
      `SELECT count(*) FILTER (WHERE started_by LIKE 'address:%')::integer AS anonymous,
              count(*) FILTER (WHERE started_by = $1)::integer AS own
       FROM tunnel_devices WHERE approved_at IS NULL AND denied_at IS NULL AND expires_at > now()`,
      [startedBy],
      transaction,
    )
    // Strangers can fill only the strangers' part: whoever is signed in has an own bound.
    const full = startedBy.startsWith('address:') && (count?.anonymous ?? 0) >= config.maxPending
    if (full || (count?.own ?? 0) >= config.maxPendingPerCaller) {
      throw tunnelErrors.TOO_MANY_ENROLMENTS(undefined, { retryAfter: retryAfterSeconds })
    }
  }

  const insert = async (
    request: EnrolmentRequest,
    ownerId: string | null,
    startedBy: string,
  ): Promise<{ id: string; userCode: string; deviceCode: string; expiresAt: string }> =>
    database.transaction(async (transaction) => {
      await lock(sql, transaction, 'enrolment')
      await assertRoom(startedBy, transaction)
      for (let tries = 0; tries < maxCodeTries; tries += 1) {
        const [id, userCode, deviceCode] = [randomUUID(), generateUserCode(), generateDeviceCode()]
        const [row] = await sql<{ expires_at: Date }>(
          `INSERT INTO tunnel_devices
             (id, name, kind, owner_id, organisation_id, user_code, device_code_hash, started_by, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9))
           ON CONFLICT (user_code) WHERE approved_at IS NULL AND denied_at IS NULL DO NOTHING
           RETURNING expires_at`,
          [
            id,
            request.name,
            request.kind,
            ownerId,
            request.organisationId ?? null,
            userCode,
            hashDeviceCode(deviceCode),
            startedBy,
            config.lifetimeSeconds,
          ],
          transaction,
        )
        if (row) return { id, userCode, deviceCode, expiresAt: iso(row.expires_at) }
      }
      throw tunnelErrors.TOO_MANY_ENROLMENTS(undefined, { retryAfter: retryAfterSeconds })
    })

  return async (request, by) => {
    const { principal } = by
    const startedBy = principal ? `${principal.kind}:${principal.id}` : `address:${addressKey(by.ip)}`
    await throttle(startedBy, principal ? signedIn : anonymous)
    assertMayStart(request, principal)
    const { name, kind } = request
    const [ownerId, organisationId] = [principal?.userId ?? null, request.organisationId ?? null]
    await hooks.beforeEnrolment({ stage: 'start', name, kind, ownerId, organisationId, principal, ip: by.ip })
    const { id, userCode, deviceCode, expiresAt } = await inTurn(() => insert(request, ownerId, startedBy))
    await audit.device('enrolment_started', id, by, { name, kind, ownerId, organisationId })
    const verificationUri = `${publicUrl()}/tunnel/verify`
    return {
      deviceCode,
      userCode,
      verificationUri,
      verificationUriComplete: `${verificationUri}?user_code=${userCode}`,
      expiresAt,
      interval: config.intervalSeconds,
    }
  }
}

function assertMayStart({ kind, organisationId }: EnrolmentRequest, principal: Principal | undefined): void {
  // A device's own token enrols nothing: a stolen one must not beget others.
  if (principal?.kind === 'device') throw coreErrors.FORBIDDEN()
  if (principal?.kind === 'apiKey') assertKeyMayStart(principal)
  if (kind === 'server' && !permits(principal?.permissions ?? [], approvePermission)) {
    throw tunnelErrors.SERVER_KIND_FORBIDDEN()
  }
  if (organisationId === undefined) return
  const role = principal?.memberships.find((membership) => membership.organisationId === organisationId)?.role
  if (role !== 'owner' && role !== 'admin') throw tunnelErrors.ORGANISATION_FORBIDDEN()
}

/** A key does nothing that it was not given. */
function assertKeyMayStart({ permissions, scopes = [] }: Principal): void {
  const given = [...permissions, ...scopes]
  if (!permits(given, writePermission) && !permits(given, approvePermission)) {
    throw coreErrors.PERMISSION_REQUIRED({ permission: writePermission })
  }
}
