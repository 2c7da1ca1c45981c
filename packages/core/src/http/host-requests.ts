import type { IncomingMessage } from 'node:http'
import { coreErrors } from '../errors.js'
import { SallyportError } from '../kernel/errors.js'
import { checkAccess, isAccess } from './access.js'
import { clientAddress, hostAddress } from './client-address.js'
import { authenticationRequest, type HttpEngine } from './engine.js'
import { toCatalogued } from './error-mapping.js'
import type { HostRequest } from './http.js'
import { renderProblem } from './problem.js'
import { isWithin, normalizePath, withoutPrefix } from './request-path.js'
import type { Access, PrincipalFor } from './route.js'

/** What a host asks about the requests that it answers itself. */
export interface HostRequests {
  serves(target: string): boolean
  authenticate<A extends Access = 'authenticated'>(request: HostRequest, access?: A): Promise<PrincipalFor<A>>
}

/** @param prefix path below which `handler` serves */
export function createHostRequests(engine: HttpEngine, prefix: string): HostRequests {
  const { table, guards, upgrades } = engine
  let namespaces: readonly string[] | undefined

  return {
    serves(target) {
      const path = withoutPrefix(normalizePath(target), prefix)
      if (path === undefined) return false
      namespaces ??= table.namespaces
      const within = (own: string): boolean => own !== '/' && isWithin(path, own)
      if (table.hasCatchAll || namespaces.some(within)) return true
      return guards.prefixes.some(within) || upgrades.paths.some(within) || table.methodsOf(path).length > 0
    },

    async authenticate<A extends Access>(request: HostRequest, access?: A): Promise<PrincipalFor<A>> {
      if (access !== undefined && !isAccess(access)) {
        throw coreErrors.ARGUMENT_INVALID({ argument: 'access', reason: 'it says neither who may nor what they need' })
      }
      if (access === 'public') return undefined as PrincipalFor<A>
      if (engine.closed) throw coreErrors.UNAVAILABLE({ reason: 'The panel is stopped' })
      const { authenticator } = engine
      const [raw, ip] = addressed(engine, request)
      try {
        const authentication = await authenticator.authenticate(authenticationRequest(raw, ip))
        return checkAccess(access ?? 'authenticated', authentication) as PrincipalFor<A>
      } catch (error) {
        throw forHost(error, engine)
      }
    },
  }
}

/** With the headers that the answer needs, `WWW-Authenticate` and `Retry-After`: frameworks send those that an error has. */
function forHost(error: unknown, { authenticator, bodyLimit }: HttpEngine): unknown {
  const catalogued = toCatalogued(error, bodyLimit)
  const { code, status, message, expose, retryAfter } = catalogued
  if (code === coreErrors.INTERNAL.code) return error
  const { headers } = renderProblem(catalogued, '', authenticator.challenge)
  const definition = { status, message, expose, error: catalogued.error }
  return new SallyportError(code, definition, message, {
    cause: catalogued,
    headers,
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

/** The request and the address of its client: what the host's Fastify says, or what our own routes would find. */
function addressed(engine: HttpEngine, request: HostRequest): readonly [IncomingMessage, string] {
  if ('raw' in request) return [request.raw, hostAddress(request.ip, request.raw)]
  return [request, clientAddress(request, engine.trusted)]
}
