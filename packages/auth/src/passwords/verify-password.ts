import { normalisePassword } from '../password.js'
import type { KnownHash } from './schemes.js'

/**
 * The texts that a hash is compared with: the password in NFKC and, where other programs made the hashes, as it was
 * typed and in the forms of the hash's own program.
 */
function textsOf({ scheme }: KnownHash, password: string, foreign: boolean): readonly string[] {
  const normalised = normalisePassword(password)
  if (!foreign) return [normalised]
  return [...new Set([normalised, password].flatMap((text) => scheme.forms?.(text) ?? [text]))]
}

/** Gives the text that fits. Tries all, so that how long it takes says nothing of which. */
export async function findText(hash: KnownHash, password: string, foreign: boolean): Promise<string | undefined> {
  let found: string | undefined
  for (const text of textsOf(hash, password, foreign)) {
    if (await hash.scheme.verify(hash.stored, text)) found ??= text
  }
  return found
}
