export interface CookieOptions {
  /** Seconds; 0 removes the cookie, absent lets it end with the browser. */
  readonly maxAge?: number
  /** Default `/`. */
  readonly path?: string
  /** Default true. */
  readonly httpOnly?: boolean
  /** Default `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none'
  /** True when the panel is reached by https. */
  readonly secure: boolean
}

/** Longest `Cookie` header that is read, in characters. */
const maxCookieHeaderLength = 16_384
const maxCookies = 100
const namePattern = /^[!#$%&'*+.^_`|~\w-]+$/
const pathPattern = /^\/[!-:<-~]*$/

/**
 * Cookies of a `Cookie` header (RFC 6265 section 4.2). Of several with one name, the first: the one with the longest
 * path. A value that cannot be decoded is given as it is.
 */
export function parseCookies(header: string | undefined): Record<string, string | undefined> {
  const cookies: Record<string, string | undefined> = Object.create(null)
  if (header === undefined || header.length > maxCookieHeaderLength) return cookies
  for (const pair of header.split(';').slice(0, maxCookies)) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    if (at === -1 || name in cookies) continue
    cookies[name] = decode(
      pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    )
  }
  return cookies
}

/**
 * A `Set-Cookie` header value (RFC 6265 section 4.1), for `reply.header('set-cookie', …)`. The value is percent-encoded.
 * @throws TypeError when the name or path cannot be one
 */
export function serializeCookie(name: string, value: string, options: CookieOptions): string {
  const { path = '/', httpOnly = true, sameSite = 'lax', secure, maxAge } = options
  if (!namePattern.test(name) || !pathPattern.test(path)) throw new TypeError('The name or path of a cookie is invalid')
  const attributes = [`${name}=${encodeURIComponent(value)}`, `Path=${path}`]
  if (maxAge !== undefined) attributes.push(`Max-Age=${Math.trunc(maxAge)}`)
  if (httpOnly) attributes.push('HttpOnly')
  if (secure) attributes.push('Secure')
  attributes.push(`SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`)
  return attributes.join('; ')
}

function decode(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
