import { createHash, randomBytes } from 'node:crypto'

/** Codes to sign in with when the authenticator app is gone: 80 bits each, in Crockford's base32. */

export const recoveryCodeCount = 10

/** Without I, L, O and U, which are misread or make words. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const codeLength = 16
const groups = /.{4}/g
const codeExpression = new RegExp(`^[${alphabet}]{${codeLength}}$`)

/** Gives a new set, to be shown once: such as `7K2M-0XQ9-VB4T-D3HN`. */
export function newRecoveryCodes(): readonly string[] {
  return Array.from({ length: recoveryCodeCount }, newCode)
}

/**
 * What the database keeps of a code: one of 80 random bits needs no slow hash. Of one user it is none of another.
 * @returns `undefined` for what no code can be
 */
export function recoveryCodeDigest(userId: string, code: string): string | undefined {
  const plain = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  if (!codeExpression.test(plain)) return undefined
  return createHash('sha256').update(`recovery code\0${userId}\0${plain}`).digest('base64url')
}

function newCode(): string {
  // 32 divides 256, so that every character is as likely as any other.
  const characters = Array.from(randomBytes(codeLength), (byte) => alphabet[byte % alphabet.length])
  return (characters.join('').match(groups) ?? []).join('-')
}
