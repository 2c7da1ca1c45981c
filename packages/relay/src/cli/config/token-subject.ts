import { text } from '../../control/control-fields.js'

const MAX_TOKEN_LENGTH = 4_096

/**
 * Whose token this is, by its own word: `sub` of the JWT (RFC 7519 section 4.1.2), not verified. Undefined for what is no JWT. Fit only to tell
 * oneself who one is; whether the token is good is the panel's to say.
 */
export function tokenSubject(token: string): string | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined || token.length > MAX_TOKEN_LENGTH) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (typeof claims !== 'object' || claims === null || !Object.hasOwn(claims, 'sub')) return undefined
    return text(128)((claims as { sub: unknown }).sub, 'sub')
  } catch {
    return undefined
  }
}
