import { createHash, type X509Certificate } from 'node:crypto'

/** 64 lower-case hexadecimal digits. */
export const FINGERPRINT: RegExp = /^[0-9a-f]{64}$/

/** SHA-256 of the whole certificate (DER). */
export function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex')
}
