import type { PasswordScheme } from './password-scheme.js'
import { pbkdf2Scheme } from './pbkdf2.js'

const expression = /^\$pbkdf2-sha256\$i=(\d{1,10}),l=32\$([^$]{1,128})\$([0-9a-f]{64})$/

/** What Discourse stored before it had a column for it. */
const firstAlgorithm = '$pbkdf2-sha256$i=64000,l=32$'

/**
 * One text of the three columns in which Discourse keeps a password.
 * @param hash `user_passwords.password_hash`, or `users.password_hash` before October 2024: 64 hexadecimal digits
 * @param salt `user_passwords.password_salt`, or `users.salt`
 * @param algorithm `password_algorithm`, such as `$pbkdf2-sha256$i=600000,l=32$`; left out for tables without
 */
export function discourseHash(hash: string, salt: string, algorithm: string = firstAlgorithm): string {
  return `${algorithm}${salt}$${hash}`
}

/** Discourse's PBKDF2, as `discourseHash` puts it together. */
export const discoursePbkdf2: PasswordScheme = pbkdf2Scheme({ name: 'discourse-pbkdf2', expression, encoding: 'hex' })
