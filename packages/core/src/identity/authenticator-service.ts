import { coreErrors } from '../errors.js'
import type { Authentication, AuthenticationRequest, AuthenticationStrategy, Authenticator } from './authenticator.js'
import { readAuthorization } from './authorization-header.js'
import { isPermission } from './permissions.js'
import { samePrincipal } from './principal.js'

type Headers = AuthenticationRequest['headers']

/** What follows from the strategies in use; made anew when they change, and not with every request. */
interface Lookup {
  readonly all: readonly AuthenticationStrategy[]
  /** Those that know a scheme, in lower case. */
  readonly byScheme: ReadonlyMap<string, readonly AuthenticationStrategy[]>
  /** In lower case. */
  readonly authorization: ReadonlySet<string>
  readonly otherCredentials: ReadonlySet<string>
}

const noCookies: AuthenticationRequest['cookies'] = Object.freeze(Object.create(null))

/**
 * Asks the strategies about the Authorization header and about everything else apart: so it can tell whether anybody
 * knew the header, even when a cookie is valid.
 */
export function createAuthenticator(): Authenticator {
  const strategies = new Map<string, AuthenticationStrategy>()
  const declared = new Set<{ readonly permissions: readonly string[] }>()
  let lookup = createLookup([])

  const askAboutHeader = async (request: AuthenticationRequest, into: Authentication[]): Promise<void> => {
    const header = readAuthorization(request.headers['authorization'])
    if (header.kind === 'absent') return
    if (header.kind === 'present') {
      const headers = without(request.headers, lookup.otherCredentials)
      await ask(lookup.byScheme.get(header.scheme) ?? [], { ...request, headers, cookies: noCookies }, into)
    }
    if (into.length === 0) into.push({ kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() })
  }

  return {
    use(strategy) {
      if (strategies.has(strategy.name)) {
        throw coreErrors.CONFLICT({ reason: `There is an authentication strategy ${strategy.name} already` })
      }
      strategies.set(strategy.name, strategy)
      lookup = createLookup([...strategies.values()])
      return () => {
        if (strategies.get(strategy.name) !== strategy) return
        strategies.delete(strategy.name)
        lookup = createLookup([...strategies.values()])
      }
    },
    async authenticate(request) {
      const results: Authentication[] = []
      await askAboutHeader(request, results)
      if (results.some(({ kind }) => kind === 'refused')) return conclude(results)
      const headers = without(request.headers, lookup.authorization)
      await ask(lookup.all, headers === request.headers ? request : { ...request, headers }, results)
      return conclude(results)
    },
    get strategies() {
      return lookup.all
    },
    declareScopes(permissions) {
      const wrong = permissions.find((permission) => !isPermission(permission) || permission.includes('*'))
      if (wrong !== undefined) {
        throw coreErrors.ARGUMENT_INVALID({ argument: wrong, reason: 'it is no permission without a pattern' })
      }
      const entry = { permissions: [...permissions] }
      declared.add(entry)
      return () => void declared.delete(entry)
    },
    get scopes() {
      return [...new Set([...declared].flatMap((entry) => entry.permissions))]
    },
    get challenge() {
      const schemes = new Set([...strategies.values()].flatMap(({ schemes }) => schemes))
      return [...(schemes.size === 0 ? ['Bearer'] : schemes)].map((scheme) => `${scheme} realm="sallyport"`).join(', ')
    },
  }
}

function createLookup(all: readonly AuthenticationStrategy[]): Lookup {
  const byScheme = new Map<string, AuthenticationStrategy[]>()
  const others = all.flatMap(({ credentialHeaders = [] }) => credentialHeaders.map((name) => name.toLowerCase()))
  for (const strategy of all) {
    for (const scheme of new Set(strategy.schemes.map((name) => name.toLowerCase()))) {
      byScheme.set(scheme, [...(byScheme.get(scheme) ?? []), strategy])
    }
  }
  return { all, byScheme, authorization: new Set(['authorization']), otherCredentials: new Set(['cookie', ...others]) }
}

/** Adds the results that are not `absent`. A strategy that throws ends it: a fault is never taken for no credentials. */
async function ask(
  strategies: readonly AuthenticationStrategy[],
  request: AuthenticationRequest,
  into: Authentication[],
): Promise<void> {
  for (const strategy of strategies) {
    const answer = strategy.authenticate(request)
    // Waiting for what is there already would cost each request a turn of the queue for each strategy.
    const result = isPromise(answer) ? await answer : answer
    if (result.kind !== 'absent') into.push(result)
  }
}

function conclude(results: readonly Authentication[]): Authentication {
  const refused = results.find(({ kind }) => kind === 'refused')
  if (refused) return refused
  const [first, ...others] = results.flatMap((result) => (result.kind === 'authenticated' ? [result] : []))
  if (!first) return { kind: 'absent' }
  const conflicting = others.some(({ principal }) => !samePrincipal(principal, first.principal))
  return conflicting ? { kind: 'refused', error: coreErrors.CONFLICTING_CREDENTIALS() } : first
}

function isPromise(answer: Authentication | Promise<Authentication>): answer is Promise<Authentication> {
  return 'then' in answer
}

/** The headers but for `names`, in lower case; the same object when there is none of them. */
function without(headers: Headers, names: ReadonlySet<string>): Headers {
  let found = false
  for (const name of names) found ||= headers[name] !== undefined
  if (!found) return headers
  const left: Record<string, string | string[] | undefined> = {}
  for (const name of Object.keys(headers)) if (!names.has(name)) left[name] = headers[name]
  return left
}
