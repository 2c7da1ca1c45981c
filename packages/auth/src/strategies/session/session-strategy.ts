import {
  type Authentication,
  type AuthenticationRequest,
  type AuthenticationStrategy,
  coreErrors,
  type DirectoryUser,
  type Principal,
  type TokenIssuer,
  type UserDirectory,
} from '@sallyport/core'
import type { CredentialCache, KnownCredential } from '../../credential-cache.js'
import type { CrossSiteCheck } from '../../cross-site.js'
import { authErrors } from '../../errors.js'
import { hasConflictingCookies, sessionCookieName } from './session-cookie.js'
import type { SessionRecord } from './session-record.js'
import type { SessionStore } from './session-store.js'

interface SessionStrategyOptions {
  readonly issuer: TokenIssuer
  readonly store: SessionStore
  readonly cache: CredentialCache<KnownSession>
  readonly users: UserDirectory
  /** Whether another site's page sends it. */
  readonly isForeign: CrossSiteCheck
}

/** What the strategy knows of a session token that is in force. */
export interface KnownSession {
  readonly record: SessionRecord
  readonly authentication: Authentication
}

/** Name under which `Principal.strategy` speaks of it. */
export const sessionStrategyName = 'session'
/** A session token has some 400 characters; nothing longer is one. */
const maxTokenLength = 4_096
const bearerExpression = /^Bearer +([^\s]+) *$/i

const absent: Authentication = Object.freeze({ kind: 'absent' })

/** Signs requests by a session token, as `Authorization: Bearer` (RFC 6750) or as a cookie. */
export function createSessionStrategy(options: SessionStrategyOptions): AuthenticationStrategy {
  const { issuer, store, cache, users, isForeign } = options

  const read = async (id: string, subject: string): Promise<KnownCredential<KnownSession> | undefined> => {
    const [record, user] = await Promise.all([store.find(id), users.findById(subject)])
    if (!record || !user || !inForce(record, user)) return undefined
    const authentication = Object.freeze({ kind: 'authenticated' as const, principal: toPrincipal(record, user) })
    return { value: { record, authentication }, id, userId: user.id, expiresAt: record.expiresAt }
  }

  const verify = async (token: string): Promise<Authentication> => {
    const verification = issuer.verify(token)
    if (verification.kind === 'foreign') return absent
    if (verification.kind !== 'valid') return refused()
    const { id, subject } = verification.claims
    const known = await cache.get(token, () => read(id, subject))
    return known ? use(known) : refused()
  }

  const use = ({ record, authentication }: KnownSession): Authentication | Promise<Authentication> => {
    const touched = store.touch(record)
    return touched ? touched.then(() => authentication) : authentication
  }

  // Its signature too is checked once for as long as it is known; then nothing is left to wait for.
  const authenticateToken = (token: string): Authentication | Promise<Authentication> => {
    if (token.length > maxTokenLength) return absent
    const known = cache.peek(token)
    return known ? use(known) : verify(token)
  }

  return {
    name: sessionStrategyName,
    schemes: ['Bearer'],
    // The authenticator asks about the Authorization header and about the cookies apart, and compares what comes of it.
    authenticate(request) {
      const bearer = bearerToken(request)
      if (bearer !== undefined) return authenticateToken(bearer)
      const cookie = request.cookies[sessionCookieName]
      if (!cookie) return absent
      if (isForeign(request)) return { kind: 'refused', error: authErrors.CROSS_SITE_REQUEST() }
      if (hasConflictingCookies(request.headers['cookie'])) {
        return { kind: 'refused', error: coreErrors.CONFLICTING_CREDENTIALS() }
      }
      return authenticateToken(cookie)
    },
  }
}

function bearerToken({ headers }: AuthenticationRequest): string | undefined {
  const { authorization } = headers
  return typeof authorization === 'string' ? bearerExpression.exec(authorization)?.[1] : undefined
}

/** Whether the session is this user's and nothing that ends sessions has happened since it began. */
function inForce(record: SessionRecord, user: DirectoryUser): boolean {
  return (
    record.userId === user.id &&
    !user.suspended &&
    (user.securityStamp === undefined || user.securityStamp === record.securityStamp)
  )
}

function toPrincipal(record: SessionRecord, user: DirectoryUser): Principal {
  return Object.freeze({
    kind: 'user',
    id: user.id,
    userId: user.id,
    name: user.name ?? user.email,
    permissions: user.permissions,
    memberships: user.memberships,
    strategy: sessionStrategyName,
    session: Object.freeze({
      id: record.id,
      authenticatedAt: record.authenticatedAt,
      expiresAt: record.expiresAt,
      methods: record.methods,
    }),
  })
}

function refused(): Authentication {
  return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
}
