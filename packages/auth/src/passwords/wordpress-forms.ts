/** What PHP's `trim` takes away at both ends. */
const trimmed = /^[ \n\r\t\v\0]+|[ \n\r\t\v\0]+$/g

/**
 * The texts that WordPress may have hashed: it trims, and what comes by a form it hashes with a backslash before quotes
 * and backslashes (`wp_magic_quotes`), what comes by an API without.
 */
export function wordpressForms(password: string): readonly string[] {
  const text = password.replace(trimmed, '')
  return [text, text.replace(/['"\\]/g, '\\$&')]
}
