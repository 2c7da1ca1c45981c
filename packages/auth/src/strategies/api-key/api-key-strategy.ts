import {
  type Authentication,
  type AuthenticationRequest,
  type AuthenticationStrategy,
  coreErrors,
  type DirectoryUser,
  type Principal,
  type UserDirectory,
} from '@sallyport/core'
import type { CredentialCache, KnownCredential } from '../../credential-cache.js'
import { authErrors } from '../../errors.js'
import { type KeyInForce, keyInForce } from './key-in-force.js'
import type { KeyRecord } from './key-record.js'
import type { KeyStore } from './key-store.js'
import { digestOfKey, isWellFormedKey } from './key-text.js'
import type { KeyUsage } from './key-usage.js'

/** What the strategy knows of a key that is in force. */
export interface KnownKey extends KeyInForce {
  /** The key, the key that made it, and so on. */
  readonly chain: readonly KeyRecord[]
  /** Of the secret that was presented. */
  readonly digest: string
  readonly authentication: Authentication & { readonly kind: 'authenticated' }
}

interface ApiKeyStrategyOptions {
  readonly store: KeyStore
  readonly cache: CredentialCache<KnownKey>
  readonly users: UserDirectory
  readonly usage: KeyUsage
  /** Told of a key that is used from where it may not be. */
  readonly onAddressRefused: (key: KeyRecord, ip: string) => Promise<void>
}

/** The strategy, and how routes find the key by which one of its principals acts. */
export interface ApiKeyStrategy extends AuthenticationStrategy {
  keyOf(principal: Principal): KnownKey | undefined
}

/** Name under which `Principal.strategy` speaks of it. */
export const apiKeyStrategyName = 'api-key'
const keyHeader = 'x-api-key'
const schemeExpression = /^ApiKey(?: |$)/i
const authorizationExpression = /^ApiKey +([^\s]{1,100}) *$/i

const absent: Authentication = Object.freeze({ kind: 'absent' })

/** Signs requests by an API key, as `Authorization: ApiKey` or as `X-Api-Key`; never as a cookie. */
export function createApiKeyStrategy(options: ApiKeyStrategyOptions): ApiKeyStrategy {
  const { store, cache, users, usage, onAddressRefused } = options
  const keys = new WeakMap<Principal, KnownKey>()

  const findUsers = async (chain: readonly KeyRecord[]): Promise<Map<string, DirectoryUser | undefined>> => {
    const ids = new Set(
      chain.flatMap(({ userId, madeByUser }) => [userId, ...(madeByUser === null ? [] : [madeByUser])]),
    )
    return new Map(await Promise.all([...ids].map(async (id) => [id, await users.findById(id)] as const)))
  }

  const read = async (text: string): Promise<KnownCredential<KnownKey> | undefined> => {
    const digest = digestOfKey(text)
    const chain = await store.findByDigest(digest)
    // What has expired is not kept, so each request asks again: nothing is worked out for it.
    if (chain.length === 0 || chain.some(hasExpired)) return undefined
    const found = await findUsers(chain)
    const inForce = keyInForce(chain, found)
    if (!inForce) return undefined
    const principal = toPrincipal(inForce)
    const authentication = Object.freeze({ kind: 'authenticated' as const, principal })
    const known: KnownKey = { ...inForce, chain, digest, authentication }
    keys.set(principal, known)
    const { id, userId } = inForce.record
    const dependsOn = { ids: chain.map((record) => record.id), userIds: [...found.keys()] }
    return { value: known, id, userId, expiresAt: inForce.expiresAt, dependsOn }
  }

  const refuseAddress = async (record: KeyRecord, ip: string): Promise<Authentication> => {
    await onAddressRefused(record, ip)
    return { kind: 'refused', error: authErrors.ADDRESS_NOT_ALLOWED() }
  }

  const use = (known: KnownKey, ip: string): Authentication | Promise<Authentication> => {
    // With each request: from where it comes is not the key's to say.
    if (!known.addresses.every((list) => list.includes(ip))) return refuseAddress(known.record, ip)
    usage.note(known.record)
    return known.authentication
  }

  const find = async (text: string, ip: string): Promise<Authentication> => {
    const known = await cache.get(text, () => read(text))
    return known ? use(known, ip) : refused()
  }

  const authenticateKey = (text: string | undefined, ip: string): Authentication | Promise<Authentication> => {
    if (text === undefined) return refused()
    const known = cache.peek(text)
    if (known) return use(known, ip)
    return isWellFormedKey(text) ? find(text, ip) : refused()
  }

  return {
    name: apiKeyStrategyName,
    schemes: ['ApiKey'],
    credentialHeaders: [keyHeader],
    securitySchemes: {
      apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      apiKeyAuthorization: { type: 'http', scheme: 'ApiKey' },
    },
    // The authenticator asks about the Authorization header and about others apart, and compares what comes of it.
    authenticate({ headers, ip }) {
      const authorization = headerOf(headers, 'authorization')
      if (typeof authorization === 'string' && schemeExpression.test(authorization)) {
        return authenticateKey(authorizationExpression.exec(authorization)?.[1], ip)
      }
      const given = headerOf(headers, keyHeader)
      if (given === undefined) return absent
      return authenticateKey(typeof given === 'string' ? given : undefined, ip)
    },
    keyOf: (principal) => keys.get(principal),
  }
}

function headerOf(headers: AuthenticationRequest['headers'], name: string): string | string[] | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined
}

function hasExpired({ expiresAt }: KeyRecord): boolean {
  return expiresAt !== null && expiresAt.getTime() <= Date.now()
}

function toPrincipal({ record, owner, permissions, scopes, memberships }: KeyInForce): Principal {
  return Object.freeze({
    kind: 'apiKey',
    id: record.id,
    userId: owner.id,
    name: record.name,
    permissions,
    scopes,
    memberships,
    strategy: apiKeyStrategyName,
  })
}

function refused(): Authentication {
  return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
}
