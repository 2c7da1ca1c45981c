import { createHash } from 'node:crypto'
import { readArgon2 } from '../passwords/argon2.js'

const seedBytes = 16

/**
 * What stays the same when a hash is replaced by a better one of the same password, and is another for another password:
 * the salt of an argon2id hash, else a digest of the hash. The better one is made with it as its salt.
 */
export function seedOf(stored: string | undefined): Buffer {
  const own = stored === undefined ? undefined : readArgon2(stored)
  if (own?.variant === 'id' && own.salt.length === seedBytes) return own.salt
  return digest(stored ?? '').subarray(0, seedBytes)
}

/** A security stamp for users whose table has none: a new password gives a new one, a better hash does not. */
export function passwordStamp(stored: string | undefined): string {
  return digest(Buffer.concat([Buffer.from('password-stamp\0'), seedOf(stored)])).toString('base64url')
}

function digest(of: string | Buffer): Buffer {
  return createHash('sha256').update(of).digest()
}
