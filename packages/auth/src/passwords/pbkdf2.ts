import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/** Django 6 has 1,200,000. */
const maxIterations = 5_000_000

/** Whether it is a count of iterations that is worked off here. */
export function isIterationCount(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 1 && count <= maxIterations
}

/** Whether PBKDF2-HMAC-SHA-256 (RFC 8018 section 5.2) of the password is `expected`. `salt` is taken as text. */
export async function verifyPbkdf2(
  password: string,
  salt: string,
  iterations: number,
  expected: Buffer,
): Promise<boolean> {
  return timingSafeEqual(await derive(password, salt, iterations, expected.length, 'sha256'), expected)
}
