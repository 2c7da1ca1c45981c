import type { AuthenticationRequest } from '@sallyport/core'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Whether a browser sends this request from another site, with a method that may change something (RFC 9110 section
 * 9.2.1); an upgrade counts as such, since no same-origin policy covers a WebSocket. A request without `Origin` and
 * `Sec-Fetch-Site` comes from no browser that sends cookies across sites.
 * @param publicUrl the panel's own, from configuration: what the request says of its host proves nothing
 */
export function isCrossSite(
  { method, headers }: Pick<AuthenticationRequest, 'method' | 'headers'>,
  publicUrl: string,
): boolean {
  if (safeMethods.has(method) && headers['upgrade'] === undefined) return false
  if (headers['sec-fetch-site'] === 'cross-site') return true
  const origin = headers['origin']
  return origin !== undefined && origin !== new URL(publicUrl).origin
}
