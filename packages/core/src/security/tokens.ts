import { defineService, type ServiceToken } from '../kernel/service.js'

/** What a token says. */
export interface TokenClaims {
  /** Whose it is (`sub`). */
  readonly subject: string
  /** Unique id of this token (`jti`), by which its issuer can revoke it. */
  readonly id: string
  readonly issuedAt: Date
  /** Absent for a token that ends only by revocation. */
  readonly expiresAt?: Date
}

export type TokenVerification =
  | { readonly kind: 'valid'; readonly claims: TokenClaims }
  /** Not a token of this purpose at all: leave it to another strategy. */
  | { readonly kind: 'foreign' }
  /** Claims to be of this purpose but is forged, malformed or of another issuer. */
  | { readonly kind: 'invalid' }
  | { readonly kind: 'expired' }

export interface TokenRequest {
  readonly subject: string
  readonly id: string
  readonly expiresInSeconds?: number
}

/** Issues and verifies the tokens of one purpose; a token of one purpose is never valid for another. */
export interface TokenIssuer {
  /** Gives a signed JWT (RFC 7519). */
  issue(request: TokenRequest): string
  verify(token: string): TokenVerification
}

/** Makes token issuers on the keyring: HS256 pinned, `kid` naming the secret, `aud` the purpose, `iss` the panel. */
export interface Tokens {
  issuer(purpose: string): TokenIssuer
}

export const Tokens: ServiceToken<Tokens> = defineService<Tokens>('core.tokens')
