import type { PasswordScheme } from './password-scheme.js'
import { isIterationCount, verifyPbkdf2 } from './pbkdf2.js'

const expression = /^pbkdf2_sha256\$(\d{1,10})\$([^$]{1,128})\$([A-Za-z0-9+/]{43}=)$/

/** Django's default, `pbkdf2_sha256$iterations$salt$hash`. Its argon2 is known to `argon2`. */
export const djangoPbkdf2: PasswordScheme = {
  name: 'django-pbkdf2',
  workOf(stored) {
    const iterations = Number(expression.exec(stored)?.[1])
    return isIterationCount(iterations) ? `pbkdf2-sha256:${iterations}` : undefined
  },
  async verify(stored, password) {
    const [, iterations, salt, digest] = expression.exec(stored) ?? []
    if (salt === undefined || digest === undefined) return false
    return verifyPbkdf2(password, salt, Number(iterations), Buffer.from(digest, 'base64'))
  },
}
