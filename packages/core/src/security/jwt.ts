import type { KeyObject } from 'node:crypto'
import jsonwebtoken, { type Jwt } from 'jsonwebtoken'
import type { Keyring } from './keyring.js'
import type { TokenClaims, TokenIssuer, TokenVerification } from './tokens.js'

/** What is longer is not looked at: an issued token has some 400 characters. */
const maxTokenLength = 8 * 1024
/** The one algorithm, whatever a token's header claims (RFC 8725 section 3.1). */
const algorithm = 'HS256'

interface IssuerOptions {
  readonly keyring: Keyring
  /** `aud`. */
  readonly purpose: string
  /** `iss`. */
  readonly issuer: string
}

const foreign: TokenVerification = { kind: 'foreign' }
const invalid: TokenVerification = { kind: 'invalid' }
const expired: TokenVerification = { kind: 'expired' }

/** Makes the issuer of one purpose's tokens, signed with a key of that purpose alone. */
export function createTokenIssuer({ keyring, purpose, issuer }: IssuerOptions): TokenIssuer {
  const keys = keyring.derive(`token ${purpose}`)
  const [newest] = keys
  const byId = new Map(keys.map(({ id, key }) => [id, key]))
  return {
    issue({ subject, id, expiresInSeconds }) {
      return jsonwebtoken.sign({}, newest.key, {
        algorithm,
        keyid: newest.id,
        issuer,
        audience: purpose,
        subject,
        jwtid: id,
        ...(expiresInSeconds === undefined ? {} : { expiresIn: expiresInSeconds }),
      })
    },
    verify(token) {
      const unverified = decode(token)
      if (!unverified || !claimsPurpose(unverified, purpose)) return foreign
      const key = keyFor(unverified, byId)
      return key ? verifyWith(key, token, purpose, issuer) : invalid
    },
  }
}

function decode(token: string): Jwt | undefined {
  if (token.length > maxTokenLength) return undefined
  try {
    return jsonwebtoken.decode(token, { complete: true }) ?? undefined
  } catch {
    return undefined
  }
}

/** Read before the signature is checked, so it says only whose business the token is. */
function claimsPurpose({ payload }: Jwt, purpose: string): boolean {
  return typeof payload === 'object' && payload !== null && payload.aud === purpose
}

function keyFor({ header }: Jwt, byId: ReadonlyMap<string, KeyObject>): KeyObject | undefined {
  // It may be any JSON: a number, for one.
  if (typeof header !== 'object') return undefined
  // An extension that must be understood (RFC 7515 section 4.1.11), and none is.
  if ('crit' in header || header.alg !== algorithm) return undefined
  return typeof header.kid === 'string' ? byId.get(header.kid) : undefined
}

function verifyWith(key: KeyObject, token: string, audience: string, issuer: string): TokenVerification {
  try {
    const payload = jsonwebtoken.verify(token, key, { algorithms: [algorithm], audience, issuer })
    const claims = readClaims(payload)
    return claims ? { kind: 'valid', claims } : invalid
  } catch (error) {
    return error instanceof jsonwebtoken.TokenExpiredError ? expired : invalid
  }
}

function readClaims(payload: string | jsonwebtoken.JwtPayload): TokenClaims | undefined {
  if (typeof payload === 'string') return undefined
  const { sub, jti, iat, exp } = payload
  if (typeof sub !== 'string' || typeof jti !== 'string' || typeof iat !== 'number') return undefined
  const issuedAt = new Date(iat * 1000)
  return exp === undefined
    ? { subject: sub, id: jti, issuedAt }
    : { subject: sub, id: jti, issuedAt, expiresAt: new Date(exp * 1000) }
}
