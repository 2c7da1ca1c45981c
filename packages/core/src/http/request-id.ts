import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type TrustedProxies, unmapped } from './trusted-proxies.js'

/** What a believed proxy's `X-Request-Id` may look like. */
const requestIdPattern = /^[\w.:+/=-]{1,128}$/

/** The id under which a request is logged and its errors are reported: the believed proxy's, or a new one. */
export function requestIdOf(request: IncomingMessage, trusted: TrustedProxies): string {
  const given = request.headers['x-request-id']
  const peer = request.socket.remoteAddress
  if (typeof given === 'string' && peer !== undefined && requestIdPattern.test(given) && trusted(unmapped(peer))) {
    return given
  }
  return randomUUID()
}
