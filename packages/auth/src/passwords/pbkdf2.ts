import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordScheme } from './password-scheme.js'

const derive = promisify(pbkdf2)

/** Django 6 has 1,200,000. */
const maxIterations = 5_000_000

/** How a program writes PBKDF2-HMAC-SHA-256 (RFC 8018 section 5.2) into one text. */
interface Pbkdf2Format {
  readonly name: string
  /** Groups: iterations, salt (taken as text), hash. */
  readonly expression: RegExp
  readonly encoding: 'hex' | 'base64'
}

/** Makes the scheme of one program. */
export function pbkdf2Scheme({ name, expression, encoding }: Pbkdf2Format): PasswordScheme {
  return {
    name,
    workOf(stored) {
      const iterations = Number(expression.exec(stored)?.[1])
      const isCount = Number.isSafeInteger(iterations) && iterations >= 1 && iterations <= maxIterations
      return isCount ? `pbkdf2-sha256:${iterations}` : undefined
    },
    async verify(stored, password) {
      const [, iterations, salt, digest] = expression.exec(stored) ?? []
      if (salt === undefined || digest === undefined) return false
      const expected = Buffer.from(digest, encoding)
      return timingSafeEqual(await derive(password, salt, Number(iterations), expected.length, 'sha256'), expected)
    },
  }
}
