/** Shortest and longest password, in characters (code points) after normalisation. */
export const minPasswordLength = 8
export const maxPasswordLength = 256

/** Longest password that a request may carry, in characters: anything that can still be `maxPasswordLength` in NFKC. */
export const maxPasswordInputLength = 1024

/** The form in which passwords are hashed and compared, whatever keyboard typed them: NFKC (Unicode annex 15). */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC')
}

/** Whether a password may be chosen: its length alone decides (NIST SP 800-63B section 5.1.1.2). */
export function isAcceptablePassword(password: string): boolean {
  const length = [...normalisePassword(password)].length
  return length >= minPasswordLength && length <= maxPasswordLength
}
