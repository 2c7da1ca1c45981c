import { loadCbor } from './webauthn.js'

const base64urlExpression = /^[\w-]+$/

/**
 * Gives an attestation object with the statement `none` in place of what it has (WebAuthn L3 section 8.7). None is asked
 * for, so nothing is lost: and no certificate that a stranger sends is parsed, let alone its revocation list fetched from
 * where it says. Rejects what is no attestation object.
 */
export async function withoutAttestation(attestationObject: string): Promise<string> {
  if (!base64urlExpression.test(attestationObject)) throw new Error('The attestation object is not base64url')
  const cbor = await loadCbor()
  const decoded: unknown = cbor.decodeFirst(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const authenticatorData = decoded instanceof Map ? decoded.get('authData') : undefined
  if (!(authenticatorData instanceof Uint8Array)) throw new Error('The attestation object has no authenticator data')
  const bare = cbor.encode(
    new Map<string, string | Map<string, string> | Uint8Array>([
      ['fmt', 'none'],
      ['attStmt', new Map<string, string>()],
      ['authData', authenticatorData],
    ]),
  )
  return Buffer.from(bare).toString('base64url')
}
