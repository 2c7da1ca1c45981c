import type { Audit, Logger, RateLimit, RateLimits, UserDirectory } from '@sallyport/core'
import type { OneTimeTokens } from '../../one-time/one-time-tokens.js'
import type { PasskeyStore } from './passkey-store.js'
import type { RelyingParty } from './relying-party.js'

/** What registration and authentication have in common (WebAuthn calls either a ceremony). */
export interface CeremonyOptions {
  readonly audit: Audit
  readonly logger: Logger
  readonly oneTimeTokens: OneTimeTokens
  readonly rateLimits: RateLimits
  readonly store: PasskeyStore
  readonly users: UserDirectory
  /** Refused passkeys that are let through per address. */
  readonly attempts: RateLimit
  /** As it is at the moment. */
  readonly relyingParty: () => RelyingParty
}

/** Why a response was refused: for the audit log, not for whoever sent it. */
export interface Refusal {
  readonly kind: 'refused'
  readonly reason: string
  /** Whose passkey or e-mail address it was about, where that is known. */
  readonly data?: Readonly<Record<string, unknown>>
}

/** How long a challenge may be answered, in seconds. */
export const challengeTtlSeconds = 300
/** COSE algorithms as IANA registers them. */
const cose = { eddsa: -8, es256: -7, rs256: -257 }
/** The same on every instance, whatever its Node can do besides: best first, as `pubKeyCredParams`. */
export const algorithms: readonly number[] = [cose.eddsa, cose.es256, cose.rs256]

const maxDetailLength = 200

export function refused(reason: string, data?: Readonly<Record<string, unknown>>): Refusal {
  return { kind: 'refused', reason, ...(data && { data }) }
}

/** What a library that throws said was wrong. It quotes what was sent, so it is cut. */
export function detailOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, maxDetailLength)
}

/** A token as the bytes that, in base64url, are the token: options and client data write challenges so. */
export function challengeBytes(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(token, 'base64url'))
}
