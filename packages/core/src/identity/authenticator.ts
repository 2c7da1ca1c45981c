import type { SallyportError } from '../kernel/errors.js'
import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'
import type { Principal } from './principal.js'

/** What strategies look at; the same for a route and for a WebSocket upgrade. */
export interface AuthenticationRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly cookies: Readonly<Record<string, string | undefined>>
  /** Address of the client, behind believed proxies. */
  readonly ip: string
  /** Address of whoever made the connection: the client's, or a proxy's whether it is believed or not. */
  readonly peer: string
}

/** What came of looking for credentials. A refusal is a value; only faults of the server are thrown. */
export type Authentication =
  /** The request carries no credential, or none of the strategy's. */
  | { readonly kind: 'absent' }
  /** It carries one that is not valid; `error` becomes the answer (401, or 403 for a forged cross-site request). */
  | { readonly kind: 'refused'; readonly error: SallyportError }
  | { readonly kind: 'authenticated'; readonly principal: Principal }

/** One way to sign a request: session, API key, device token, or the host's own. */
export interface AuthenticationStrategy {
  /** Unique in a kernel. */
  readonly name: string
  /** Schemes of `WWW-Authenticate` that it understands (RFC 9110 section 11.6.1), such as `Bearer`. */
  readonly schemes: readonly string[]
  /**
   * Headers other than Authorization and Cookie in which it looks for credentials, such as `X-Api-Key`. They are left
   * out when it is asked about Authorization, so that two credentials give two answers.
   */
  readonly credentialHeaders?: readonly string[]
  /** OpenAPI security schemes by name, for the document; by default one for each of `schemes`. */
  readonly securitySchemes?: Readonly<Record<string, object>>
  /** `absent` for whatever is not its own: a Bearer token that another strategy issued, too. */
  authenticate(request: AuthenticationRequest): Authentication | Promise<Authentication>
}

/** Asks every registered strategy. */
export interface Authenticator {
  /** Adds a strategy; a duplicate name throws `CORE_ERR_CONFLICT`. */
  use(strategy: AuthenticationStrategy): Disposer
  /**
   * `refused` when any strategy refuses, when an Authorization header is malformed or no strategy knows it (401), or
   * when two credentials are of different principals (400).
   */
  authenticate(request: AuthenticationRequest): Promise<Authentication>
  /** Those in use, in the order in which they were added. */
  readonly strategies: readonly AuthenticationStrategy[]
  /**
   * Declares permissions that every user may give to an API key of their own, without holding them: as `Principal.scopes` they
   * open what is the user's own, and nothing of anybody else. Throws `CORE_ERR_ARGUMENT_INVALID` for a pattern.
   */
  declareScopes(permissions: readonly string[]): Disposer
  /** Those declared. */
  readonly scopes: readonly string[]
  /** Value of `WWW-Authenticate` for a 401. */
  readonly challenge: string
}

export const Authenticator: ServiceToken<Authenticator> = defineService<Authenticator>('core.authenticator')
