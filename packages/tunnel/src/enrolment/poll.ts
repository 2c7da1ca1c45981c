import type { Sql, TokenIssuer } from '@sallyport/core'
import { type TUnsafe, Type } from '@sinclair/typebox'
import type { EnrolmentConfig } from '../config.js'
import { tunnelErrors } from '../errors.js'
import { viewSchema } from '../view-schema.js'
import { hashDeviceCode } from './device-code.js'

/** Answer to `GET /api/tunnel/device/poll` (RFC 8628 section 3.5). */
export type PollAnswer =
  | { readonly approved: false; readonly interval: number }
  | { readonly approved: true; readonly token: string; readonly deviceId: string; readonly name: string }

export const pollAnswerSchema: TUnsafe<PollAnswer> = viewSchema<PollAnswer>()(
  Type.Union([
    Type.Object({ approved: Type.Literal(false), interval: Type.Number() }),
    Type.Object({
      approved: Type.Literal(true),
      token: Type.String(),
      deviceId: Type.String({ format: 'uuid' }),
      name: Type.String(),
    }),
  ]),
)

interface PollRow {
  readonly id: string
  readonly name: string
  readonly token_id: string | null
  readonly approved: boolean
  readonly denied: boolean
  readonly redeemed: boolean
  readonly expired: boolean
  /** Seconds until the next poll is due, or negative. */
  readonly wait: number
}

/** Part of the interval by which a poll may be early: timers and networks are not exact. */
const tolerance = 0.1

const columns = `id, name, token_id, approved_at IS NOT NULL AS approved, denied_at IS NOT NULL AS denied,
  redeemed_at IS NOT NULL AS redeemed, expires_at <= clock_timestamp() AS expired`

/**
 * Tells a device how its enrolment stands, and gives it its token. An answer may be lost, so the token is given again
 * until it is first used or the time to fetch it is over (`lifetimeSeconds` after the approval); from then on the
 * device code opens nothing. Every token so given carries the same jti, so all of them die together. That two polls
 * are `intervalSeconds` apart is kept by one statement.
 */
export function createPoll(
  sql: Sql,
  issuer: TokenIssuer,
  config: EnrolmentConfig,
): (deviceCode: string) => Promise<PollAnswer> {
  const answer = (row: PollRow): PollAnswer => {
    if (row.denied) throw tunnelErrors.ENROLMENT_DENIED()
    if (row.redeemed) throw tunnelErrors.ENROLMENT_REDEEMED()
    if (row.expired) throw tunnelErrors.ENROLMENT_EXPIRED()
    if (!row.approved) return { approved: false, interval: config.intervalSeconds }
    if (row.token_id === null) throw tunnelErrors.ENROLMENT_DENIED()
    const token = issuer.issue({ subject: row.id, id: row.token_id })
    return { approved: true, token, deviceId: row.id, name: row.name }
  }

  return async (deviceCode) => {
    const hash = hashDeviceCode(deviceCode)
    const apart = config.intervalSeconds * (1 - tolerance)
    const [due] = await sql<PollRow>(
      `UPDATE tunnel_devices SET polled_at = clock_timestamp()
       WHERE device_code_hash = $1
         AND (polled_at IS NULL OR polled_at <= clock_timestamp() - make_interval(secs => $2))
       RETURNING ${columns}, 0 AS wait`,
      [hash, apart],
    )
    if (due) return answer(due)
    const [early] = await sql<PollRow>(
      `SELECT ${columns}, extract(epoch FROM polled_at - clock_timestamp())::float8 + $2::float8 AS wait
       FROM tunnel_devices WHERE device_code_hash = $1`,
      [hash, config.intervalSeconds],
    )
    if (!early) throw tunnelErrors.ENROLMENT_UNKNOWN()
    if (early.denied || early.redeemed || early.expired) return answer(early)
    throw tunnelErrors.POLLING_TOO_FAST(undefined, { retryAfter: Math.max(1, Math.ceil(early.wait)) })
  }
}
