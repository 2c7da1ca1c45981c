import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { RelayError } from '../errors.js'
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../limits.js'
import type { RefusedError } from '../link/protocol.js'
import type { DeviceMarks, TicketMemory } from './ticket-memory.js'

/** Seconds would be too coarse: what is issued after a revocation in the same second must hold. */
interface Claims {
  v: 1
  relay: string
  device: string
  use: 'link' | 'resume'
  /** Milliseconds. */
  exp: number
  /** Milliseconds, and strictly increasing for each relay, so that "issued before" is exact. */
  iat: number
  nonce: string
  /** See `RelayAllocation.grant`. */
  grant?: string
}

export type Redemption =
  | { ok: true; deviceId: string; grant?: string }
  | { ok: false; error: Extract<RefusedError, `ticket_${string}` | 'busy'> }

const MAX_TICKET_LENGTH = 2_048
const NONCE_BYTES = 16

/**
 * Tickets: base64url(JSON claims) '.' base64url(HMAC-SHA-256 of the first part's text).
 *
 * A ticket from `issue` is spent by `redeem`. A resume ticket may be redeemed until the link it made is confirmed, because
 * an agent that lost the WELCOME with its successor would have nothing left; then it and all older ones are dead.
 */
export class Tickets {
  readonly #relayId: string
  readonly #key: Uint8Array
  readonly #memory: TicketMemory
  readonly #limits: RelayLimits
  readonly #now: () => number

  constructor(
    relayId: string,
    key: Uint8Array,
    memory: TicketMemory,
    limits: RelayLimits,
    now: () => number = Date.now,
  ) {
    this.#relayId = relayId
    this.#key = key
    this.#memory = memory
    this.#limits = limits
    this.#now = now
  }

  /** Throws RELAY_ERR_INVALID_OPTION. */
  issue(deviceId: string, lifeMs: number = this.#limits.ticketLifeMs, grant?: string): string {
    // No ticket outlives the memory of what was revoked.
    if (!(lifeMs > 0) || lifeMs > this.#limits.resumeLifeMs) {
      throw new RelayError('RELAY_ERR_INVALID_OPTION', 'expiresInMs')
    }
    if (deviceId.length === 0 || deviceId.length > 255) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'deviceId')
    return this.#sign(deviceId, 'link', this.#memory.nextStamp(this.#now()), lifeMs, grant)
  }

  /** `confirm` is to be called when the agent has shown that it holds the resume ticket. `grant`: that of the link. */
  issueResume(deviceId: string, grant?: string): { ticket: string; confirm: () => void } {
    const iat = this.#memory.nextStamp(this.#now())
    const ticket = this.#sign(deviceId, 'resume', iat, this.#limits.resumeLifeMs, grant)
    return { ticket, confirm: () => this.#memory.mark(deviceId, { resumeFrom: iat }) }
  }

  /** Every ticket of this device that was issued until now is dead, but for those from elsewhere that carry a grant. */
  revoke(deviceId: string): void {
    this.#memory.mark(deviceId, { revokedAt: this.#memory.nextStamp(this.#now()) })
  }

  /**
   * @param accepts whether this grant is in force for the device
   * @param hasRoom whether the device may come now; a ticket that is good but for this is not spent
   */
  redeem(
    ticket: string,
    accepts: (deviceId: string, grant: string | undefined) => boolean = () => true,
    hasRoom: (deviceId: string) => boolean = () => true,
  ): Redemption {
    const claims = this.#verify(ticket)
    if (claims === undefined || claims.relay !== this.#relayId) return { ok: false, error: 'ticket_invalid' }
    const now = this.#now()
    if (claims.exp <= now) return { ok: false, error: 'ticket_expired' }
    const { device, grant, iat, use } = claims
    const redeemed: Redemption = { ok: true, deviceId: device, ...(grant === undefined ? {} : { grant }) }
    const marks: DeviceMarks = this.#memory.marks(device)
    // Whoever issues tickets elsewhere has a clock of its own: theirs are ended by their grant.
    const stampedHere = use === 'resume' || grant === undefined
    if (stampedHere && iat <= marks.revokedAt) return { ok: false, error: 'ticket_revoked' }
    if (!accepts(device, grant)) return { ok: false, error: 'ticket_revoked' }
    if (use === 'resume' && iat < marks.resumeFrom) return { ok: false, error: 'ticket_used' }
    if (!hasRoom(device)) return { ok: false, error: 'busy' }
    if (use === 'resume') return redeemed
    const spent = this.#memory.spend(claims.nonce, claims.exp, now)
    if (spent !== 'spent') return { ok: false, error: spent === 'used' ? 'ticket_used' : 'busy' }
    return redeemed
  }

  #sign(device: string, use: Claims['use'], iat: number, lifeMs: number, grant?: string): string {
    return sign(this.#key, { relay: this.#relayId, device, use, exp: this.#now() + lifeMs, iat }, grant)
  }

  #verify(ticket: string): Claims | undefined {
    if (ticket.length > MAX_TICKET_LENGTH) return undefined
    const [body, signature, ...more] = ticket.split('.')
    if (body === undefined || signature === undefined || more.length > 0) return undefined
    const given = Buffer.from(signature, 'base64url')
    const expected = mac(this.#key, body)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    // base64url has several spellings of the same bytes; only ours counts.
    if (given.toString('base64url') !== signature) return undefined
    return asClaims(body)
  }
}

/** Issues tickets of a relay whose key is known, without the relay. */
export interface TicketIssuer {
  /**
   * A ticket for one use. `expiresInMs`: default 60,000. `grant`: see `RelayAllocation`. `clockOffsetMs`: the relay's clock, by which it
   * judges tickets, minus the one here.
   */
  issue(deviceId: string, options: { grant: string; expiresInMs?: number; clockOffsetMs?: number }): string
}

/** @param key the relay's `ticketKey` */
export function createTicketIssuer(relayId: string, key: Uint8Array): TicketIssuer {
  return {
    issue(device, { grant, expiresInMs = DEFAULT_RELAY_LIMITS.ticketLifeMs, clockOffsetMs = 0 }) {
      const now = Date.now() + clockOffsetMs
      return sign(key, { relay: relayId, device, use: 'link', exp: now + expiresInMs, iat: now }, grant)
    },
  }
}

function sign(key: Uint8Array, claims: Omit<Claims, 'v' | 'nonce' | 'grant'>, grant: string | undefined): string {
  const nonce = randomBytes(NONCE_BYTES).toString('base64url')
  const whole: Claims = { v: 1, ...claims, nonce, ...(grant === undefined ? {} : { grant }) }
  const body = Buffer.from(JSON.stringify(whole)).toString('base64url')
  return `${body}.${mac(key, body).toString('base64url')}`
}

function mac(key: Uint8Array, body: string): Buffer {
  return createHmac('sha256', key).update(body).digest()
}

function asClaims(body: string): Claims | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
  const { v, relay, device, use, exp, iat, nonce, grant } = (value ?? {}) as Partial<Record<keyof Claims, unknown>>
  if (v !== 1 || typeof relay !== 'string' || typeof device !== 'string' || typeof nonce !== 'string') return undefined
  if (use !== 'link' && use !== 'resume') return undefined
  if (grant !== undefined && typeof grant !== 'string') return undefined
  if (!Number.isSafeInteger(exp) || !Number.isSafeInteger(iat)) return undefined
  return {
    v,
    relay,
    device,
    use,
    exp: exp as number,
    iat: iat as number,
    nonce,
    ...(grant === undefined ? {} : { grant }),
  }
}
