import type { IncomingMessage } from 'node:http'
import type { FastifyPluginAsync } from 'fastify'
import type { AuthenticationRequest, Authenticator } from '../identity/authenticator.js'
import type { Logger } from '../kernel/logger.js'
import type { RateLimits } from '../security/rate-limits.js'
import { peerAddress } from './client-address.js'
import { parseCookies } from './cookies.js'
import type { Guards } from './guards.js'
import type { InFlight } from './in-flight.js'
import type { Observation } from './observation.js'
import type { OpenStreams } from './open-streams.js'
import type { RequestStates } from './request-state.js'
import type { RouteTable } from './route-table.js'
import type { TrustedProxies } from './trusted-proxies.js'
import type { UpgradeRoutes } from './upgrade-routes.js'
import type { Validation } from './validation.js'

/** What the parts of one kernel's HTTP share; the same for all three ways of serving. */
export interface HttpEngine {
  readonly authenticator: Authenticator
  readonly rateLimits: RateLimits
  readonly logger: Logger
  readonly trusted: TrustedProxies
  readonly table: RouteTable
  readonly plugins: FastifyPluginAsync[]
  readonly guards: Guards
  readonly upgrades: UpgradeRoutes
  readonly validation: Validation
  readonly states: RequestStates
  readonly inFlight: InFlight
  readonly streams: OpenStreams
  readonly observation: Observation
  /** Bytes that a body may have where its route names no other limit. */
  readonly bodyLimit: number
  /** Time that a route is given to begin its answer, in milliseconds; then it is 503. */
  readonly handlerTimeoutMs: number
  /** Set once the kernel's services are being closed: nothing can be answered any more. */
  closed: boolean
}

/** What strategies look at, of a route's request or of an upgrade. */
export function authenticationRequest(request: IncomingMessage, ip: string): AuthenticationRequest {
  const { headers } = request
  return {
    method: request.method ?? 'GET',
    headers: withEveryAuthorization(request),
    cookies: parseCookies(headers.cookie),
    ip,
    peer: peerAddress(request),
  }
}

/** Node keeps the first of several Authorization headers; the authenticator must see that there are more. */
function withEveryAuthorization({ headers, rawHeaders }: IncomingMessage): AuthenticationRequest['headers'] {
  if (headers.authorization === undefined) return headers
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === 'authorization') values.push(rawHeaders[at + 1] ?? '')
  }
  return values.length > 1 ? { ...headers, authorization: values } : headers
}
