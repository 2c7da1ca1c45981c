import { randomInt } from 'node:crypto'

/**
 * Letters and digits that are told apart when read aloud or badly printed, without vowels so that no words come out
 * (RFC 8628 section 6.1). 27^8 codes: 38 bits.
 */
const alphabet = 'BCDFGHJKMNPQRSTVWXY23456789'
const half = 4

/** A code such as `BCDF-2345` from the system's random generator. */
export function generateUserCode(): string {
  const letters = Array.from({ length: 2 * half }, () => alphabet.charAt(randomInt(alphabet.length)))
  letters.splice(half, 0, '-')
  return letters.join('')
}

/** What a person typed, as it is stored: case, spaces and the dash don't matter. `undefined` when it can be no code. */
export function normaliseUserCode(typed: string): string | undefined {
  const text = typed.toUpperCase().replace(/[\s._–—-]/g, '')
  if (text.length !== 2 * half || !/^[A-Z0-9]+$/.test(text)) return undefined
  return `${text.slice(0, half)}-${text.slice(half)}`
}
