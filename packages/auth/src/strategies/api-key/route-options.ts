import type { Audit, Http, Principal, RouteContext, UserDirectory } from '@sallyport/core'
import type { CredentialCache } from '../../credential-cache.js'
import type { ApiKeyStrategy, KnownKey } from './api-key-strategy.js'
import type { KeyRecord } from './key-record.js'
import { type Caller, callerOf } from './key-rules.js'
import type { KeyStore } from './key-store.js'
import type { KeyUsage } from './key-usage.js'

/** What the routes of API keys work with. */
export interface ApiKeyRouteOptions {
  readonly http: Http
  readonly audit: Audit
  readonly users: UserDirectory
  readonly store: KeyStore
  readonly cache: CredentialCache<KnownKey>
  readonly usage: KeyUsage
  readonly strategy: ApiKeyStrategy
  readonly maxKeysPerUser: number
  /** Permissions that every user may give to a key of their own; see `Authenticator.declareScopes`. */
  readonly scopes: () => readonly string[]
  /** Throws `AUTH_ERR_REAUTHENTICATION_REQUIRED` (403). */
  readonly assertFresh: (principal: Principal) => Promise<void>
}

/** Group in the OpenAPI document. */
export const tag = 'API keys'

type Request = Pick<RouteContext<'authenticated'>, 'principal' | 'ip' | 'requestId'>

/** Gives who wants to change keys, having proved lately who they are. */
export async function freshCaller(
  { assertFresh, strategy }: ApiKeyRouteOptions,
  { principal }: Request,
): Promise<Caller> {
  await assertFresh(principal)
  return callerOf(principal, strategy.keyOf(principal))
}

export async function recordKey(
  { audit }: ApiKeyRouteOptions,
  action: string,
  record: Pick<KeyRecord, 'id' | 'userId' | 'name' | 'prefix'>,
  { principal, ip, requestId }: Request,
  data: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { id, userId, name, prefix } = record
  await audit.record({
    action,
    actor: principal,
    target: { type: 'api-key', id },
    ip,
    requestId,
    data: { userId, name, prefix, ...data },
  })
}
