import { argon2 } from './argon2.js'
import { bcrypt } from './bcrypt.js'
import { discoursePbkdf2 } from './discourse.js'
import { djangoPbkdf2 } from './django.js'
import type { PasswordScheme } from './password-scheme.js'
import { phpass } from './phpass.js'
import { wordpressBcrypt } from './wordpress-bcrypt.js'

/** The formats that are known without being told. */
export const passwordSchemes: readonly PasswordScheme[] = Object.freeze([
  argon2,
  bcrypt,
  wordpressBcrypt,
  phpass,
  discoursePbkdf2,
  djangoPbkdf2,
])

/** A stored hash, read. */
export interface KnownHash {
  readonly scheme: PasswordScheme
  readonly stored: string
  /** See `PasswordScheme.workOf`. */
  readonly work: string
}

/** Longest stored hash that is looked at, in characters. */
const maxHashLength = 1_024

/** Finds out of which scheme a stored hash is; `undefined` for what none knows. */
export function readHash(schemes: readonly PasswordScheme[], stored: string): KnownHash | undefined {
  if (stored.length > maxHashLength) return undefined
  for (const scheme of schemes) {
    const work = scheme.workOf(stored)
    if (work !== undefined) return { scheme, stored, work }
  }
  return undefined
}
