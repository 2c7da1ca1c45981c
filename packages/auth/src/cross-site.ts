import type { AuthenticationRequest } from '@sallyport/core'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** What tells of a request where it comes from; of Node's and Fastify's alike. */
export interface Sent {
  readonly method?: string | undefined
  readonly headers: AuthenticationRequest['headers']
}

/** Whether another site's page sends a request. */
export type CrossSiteCheck = (request: Sent) => boolean

/**
 * Whether a browser sends this request from another site, with a method that may change something (RFC 9110 section
 * 9.2.1); an upgrade counts as such, since no same-origin policy covers a WebSocket. A request without `Origin` and
 * `Sec-Fetch-Site` comes from no browser that sends cookies across sites.
 * @param origins the panel's own, from configuration: what the request says of its host proves nothing
 */
export function isCrossSite({ method = 'GET', headers }: Sent, origins: readonly string[]): boolean {
  if (!mayChange(method, headers)) return false
  if (headers['sec-fetch-site'] === 'cross-site') return true
  const origin = headers['origin']
  return origin !== undefined && !(typeof origin === 'string' && origins.includes(origin))
}

/**
 * Makes the check of one panel.
 * @param publicUrl as it is at the moment
 * @param others origins beside its own
 */
export function createCrossSiteCheck(publicUrl: () => string, others: readonly string[]): CrossSiteCheck {
  return ({ method = 'GET', headers }) =>
    mayChange(method, headers) && isCrossSite({ method, headers }, [new URL(publicUrl()).origin, ...others])
}

function mayChange(method: string, headers: Sent['headers']): boolean {
  return !safeMethods.has(method) || headers['upgrade'] !== undefined
}
