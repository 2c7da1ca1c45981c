import { createHash, randomBytes } from 'node:crypto'

const bytes = 32

/** 256 random bits in base64url: 43 characters. */
export function generateDeviceCode(): string {
  return randomBytes(bytes).toString('base64url')
}

/** What the database holds of it. */
export function hashDeviceCode(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
