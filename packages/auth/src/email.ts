/** JSON Schema pattern of an e-mail address: something, `@`, something; no spaces and no control characters. */
export const emailPattern = '^[^\\s@\\p{Cc}\\p{Cs}]+@[^\\s@\\p{Cc}\\p{Cs}]+$'

/** Longest address in characters (RFC 5321 section 4.5.3.1.3 with RFC 3696 erratum 1690). */
export const maxEmailLength = 254

const emailExpression = new RegExp(emailPattern, 'u')

/**
 * What two spellings of one address have in common: NFKC (Unicode annex 15), lower case. For looking up and comparing;
 * mail goes to the address as its owner gave it.
 */
export function normaliseEmail(email: string): string {
  return email.normalize('NFKC').toLowerCase().normalize('NFKC')
}

/** Whether it is an address still when normalised: NFKC may turn another character into a second `@`. */
export function isEmail(email: string): boolean {
  const normalised = normaliseEmail(email)
  return normalised.length <= maxEmailLength && emailExpression.test(normalised)
}
