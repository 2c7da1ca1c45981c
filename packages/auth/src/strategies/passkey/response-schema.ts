import { type TProperties, type TString, type TUnsafe, Type } from '@sinclair/typebox'

/*
 * What browsers send: `PublicKeyCredential.toJSON()` (WebAuthn L3 sections 5.1.8.1 and 5.1.8.2). Members that are not
 * known are let pass, since browsers add new ones, and not looked at. Whether the text is base64url, and of what, is
 * found out when it is verified.
 */

/** 1,023 bytes (WebAuthn L3 section 4, Credential ID) in base64url. */
const maxCredentialIdLength = 1_364
const maxClientDataLength = 8_192
const maxAuthenticatorDataLength = 16_384
/** With an attestation statement that nobody asked for. */
const maxAttestationObjectLength = 32_768
const maxSignatureLength = 4_096
/** 64 bytes in base64url, with room for padding. */
const maxUserHandleLength = 88
const maxTransports = 16

const text = (maxLength: number): TString => Type.String({ minLength: 1, maxLength })

interface CredentialResponse {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly authenticatorAttachment?: string
  readonly clientExtensionResults: object
}

/** `RegistrationResponseJSON`, as far as it is looked at. */
export interface RegistrationResponse extends CredentialResponse {
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: string[]
  }
}

/** `AuthenticationResponseJSON`, as far as it is looked at. */
export interface AssertionResponse extends CredentialResponse {
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string
  }
}

/** JSON Schema of `RegistrationResponse`. */
export const registrationResponseSchema: TUnsafe<RegistrationResponse> = credential({
  clientDataJSON: text(maxClientDataLength),
  attestationObject: text(maxAttestationObjectLength),
  authenticatorData: Type.Optional(text(maxAuthenticatorDataLength)),
  transports: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z0-9-]{1,32}$' }), { maxItems: maxTransports })),
  publicKeyAlgorithm: Type.Optional(Type.Integer()),
  publicKey: Type.Optional(text(maxAuthenticatorDataLength)),
})

/** JSON Schema of `AssertionResponse`. */
export const assertionResponseSchema: TUnsafe<AssertionResponse> = credential({
  clientDataJSON: text(maxClientDataLength),
  authenticatorData: text(maxAuthenticatorDataLength),
  signature: text(maxSignatureLength),
  userHandle: Type.Optional(text(maxUserHandleLength)),
})

function credential<T extends CredentialResponse>(response: TProperties): TUnsafe<T> {
  return Type.Unsafe<T>(
    Type.Object({
      id: text(maxCredentialIdLength),
      rawId: text(maxCredentialIdLength),
      type: Type.Literal('public-key'),
      response: Type.Object(response),
      authenticatorAttachment: Type.Optional(Type.String({ maxLength: 32 })),
      clientExtensionResults: Type.Object({}, { additionalProperties: true }),
    }),
  )
}
