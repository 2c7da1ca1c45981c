import { parseCookies, type RouteContext, serializeCookie } from '@sallyport/core'

/** The cookie that carries a session token. */
export const sessionCookieName = 'session'

interface SessionCookieOptions {
  /** The panel's: over https the cookie is `Secure`. */
  readonly publicUrl: string
  readonly maxAgeSeconds: number
}

type SessionReply = Pick<RouteContext['reply'], 'header'>

/** Has the browser keep the token where no script reads it and send it from links on other sites at most. */
export function setSessionCookie(reply: SessionReply, token: string, options: SessionCookieOptions): void {
  const secure = new URL(options.publicUrl).protocol === 'https:'
  const attributes = { secure, httpOnly: true, sameSite: 'lax', path: '/', maxAge: options.maxAgeSeconds } as const
  reply.header('set-cookie', serializeCookie(sessionCookieName, token, attributes))
}

/** Has the browser forget the token. */
export function clearSessionCookie(reply: SessionReply, publicUrl: string): void {
  setSessionCookie(reply, '', { publicUrl, maxAgeSeconds: 0 })
}

/**
 * Whether a `Cookie` header has two session tokens that differ. One of them is not this panel's work: a page on a sibling
 * domain may set cookies for this one.
 */
export function hasConflictingCookies(header: string | string[] | undefined): boolean {
  if (typeof header !== 'string') return false
  const prefix = `${sessionCookieName}=`
  if (header.indexOf(prefix) === header.lastIndexOf(prefix)) return false
  const pairs = header.split(';').map((pair) => pair.trim())
  return new Set(pairs.filter((pair) => pair.startsWith(prefix))).size > 1
}

/** @param header `Cookie` */
export function hasSessionCookie(header: string | undefined): boolean {
  return Boolean(parseCookies(header)[sessionCookieName])
}
