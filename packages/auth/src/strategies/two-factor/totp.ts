import { generateSecret, generateURI, verifySync } from 'otplib'

/** Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, 6 digits, 30 seconds. */

const secretBytes = 20
const stepSeconds = 30
/** One step either side, for clocks that differ (RFC 6238 section 5.2). */
const toleranceSeconds = stepSeconds

/** Gives a new secret of 160 bits (RFC 4226 section 4), in base32. */
export function newTotpSecret(): string {
  return generateSecret({ length: secretBytes })
}

/** The address that an authenticator app reads from a QR code. */
export function toOtpauthUrl(secret: string, issuer: string, account: string): string {
  return generateURI({ issuer, label: account, secret })
}

/**
 * The time step (seconds since 1970 by 30) that `code`, six digits, belongs to; `undefined` when it is none of now, of
 * the step before or of the one after. Whether it was used before is not looked at.
 */
export function matchTotp(secret: string, code: string, now: number = Date.now()): number | undefined {
  const epoch = Math.floor(now / 1000)
  const result = verifySync({ secret, token: code, epoch, epochTolerance: toleranceSeconds })
  return result.valid && 'timeStep' in result ? result.timeStep : undefined
}
