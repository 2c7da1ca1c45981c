/**
 * The library for WebAuthn, loaded when the first passkey is asked for: that takes a fifth of a second, and what it is made
 * of adds to the globals of the process (`Reflect.getMetadata` and its kind), which a host without passkeys is spared.
 */
export function loadWebAuthn(): Promise<typeof import('@simplewebauthn/server')> {
  return import('@simplewebauthn/server')
}

/** Its way to read and write CBOR. */
export async function loadCbor(): Promise<typeof import('@simplewebauthn/server/helpers').isoCBOR> {
  return (await import('@simplewebauthn/server/helpers')).isoCBOR
}
