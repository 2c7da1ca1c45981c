import type { PasswordScheme } from './password-scheme.js'
import { pbkdf2Scheme } from './pbkdf2.js'

const expression = /^pbkdf2_sha256\$(\d{1,10})\$([^$]{1,128})\$([A-Za-z0-9+/]{43}=)$/

/** Django's default, `pbkdf2_sha256$iterations$salt$hash`. Its argon2 is known to `argon2`. */
export const djangoPbkdf2: PasswordScheme = pbkdf2Scheme({ name: 'django-pbkdf2', expression, encoding: 'base64' })
