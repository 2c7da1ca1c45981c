import { createHmac } from 'node:crypto'
import { bcrypt } from './bcrypt.js'
import type { PasswordScheme } from './password-scheme.js'
import { wordpressForms } from './wordpress-forms.js'

const prefix = '$wp'

/** WordPress since 6.8: `$wp$2y$…`, bcrypt over the Base64 of HMAC-SHA-384, so that longer passwords count whole. */
export const wordpressBcrypt: PasswordScheme = {
  name: 'wordpress-bcrypt',
  workOf(stored) {
    const work = stored.startsWith(prefix) ? bcrypt.workOf(stored.slice(prefix.length)) : undefined
    return work && `wordpress-${work}`
  },
  forms: wordpressForms,
  verify(stored, password) {
    const digest = createHmac('sha384', 'wp-sha384').update(password).digest('base64')
    return bcrypt.verify(stored.slice(prefix.length), digest)
  },
}
