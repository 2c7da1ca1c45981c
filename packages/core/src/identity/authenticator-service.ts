import { coreErrors } from '../errors.js'
import type { Authentication, AuthenticationRequest, AuthenticationStrategy, Authenticator } from './authenticator.js'
import { readAuthorization } from './authorization-header.js'
import { samePrincipal } from './principal.js'

/**
 * Asks the strategies about the Authorization header and about everything else apart: so it can tell whether anybody
 * knew the header, even when a cookie is valid.
 */
export function createAuthenticator(): Authenticator {
  const strategies = new Map<string, AuthenticationStrategy>()

  const askAboutHeader = async (request: AuthenticationRequest): Promise<readonly Authentication[]> => {
    const header = readAuthorization(request.headers['authorization'])
    if (header.kind === 'absent') return []
    if (header.kind === 'malformed') return [refusal()]
    const others = [...strategies.values()].flatMap(({ credentialHeaders = [] }) => credentialHeaders)
    const only = { ...request, headers: without(request.headers, 'cookie', ...others), cookies: {} }
    const asked = [...strategies.values()].filter(({ schemes }) => knows(schemes, header.scheme))
    const results = await ask(asked, only)
    return results.length === 0 ? [refusal()] : results
  }

  return {
    use(strategy) {
      if (strategies.has(strategy.name)) {
        throw coreErrors.CONFLICT({ reason: `There is an authentication strategy ${strategy.name} already` })
      }
      strategies.set(strategy.name, strategy)
      return () => {
        if (strategies.get(strategy.name) === strategy) strategies.delete(strategy.name)
      }
    },
    async authenticate(request) {
      const ofHeader = await askAboutHeader(request)
      if (ofHeader.some(({ kind }) => kind === 'refused')) return conclude(ofHeader)
      const rest = { ...request, headers: without(request.headers, 'authorization') }
      return conclude([...ofHeader, ...(await ask([...strategies.values()], rest))])
    },
    get strategies() {
      return [...strategies.values()]
    },
    get challenge() {
      const schemes = new Set([...strategies.values()].flatMap(({ schemes }) => schemes))
      return [...(schemes.size === 0 ? ['Bearer'] : schemes)].map((scheme) => `${scheme} realm="sallyport"`).join(', ')
    },
  }
}

function refusal(): Authentication {
  return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
}

/** The results that are not `absent`. A strategy that throws ends it: a fault is never taken for no credentials. */
async function ask(
  strategies: readonly AuthenticationStrategy[],
  request: AuthenticationRequest,
): Promise<readonly Authentication[]> {
  const results: Authentication[] = []
  for (const strategy of strategies) {
    const result = await strategy.authenticate(request)
    if (result.kind !== 'absent') results.push(result)
  }
  return results
}

function conclude(results: readonly Authentication[]): Authentication {
  const refused = results.find(({ kind }) => kind === 'refused')
  if (refused) return refused
  const [first, ...others] = results.flatMap((result) => (result.kind === 'authenticated' ? [result] : []))
  if (!first) return { kind: 'absent' }
  const conflicting = others.some(({ principal }) => !samePrincipal(principal, first.principal))
  return conflicting ? { kind: 'refused', error: coreErrors.CONFLICTING_CREDENTIALS() } : first
}

function knows(schemes: readonly string[], scheme: string): boolean {
  return schemes.some((known) => known.toLowerCase() === scheme)
}

function without(headers: AuthenticationRequest['headers'], ...names: string[]): AuthenticationRequest['headers'] {
  const left = new Set(names.map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.has(name)))
}
