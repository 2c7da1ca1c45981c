import { type TSchema, Type } from '@sinclair/typebox'

/*
 * What browsers are given, for `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` (WebAuthn L3
 * sections 5.1.9 and 5.1.10). Whatever else the library puts in is let pass.
 */

const type = Type.Literal('public-key')
const descriptor = Type.Object({ type, id: Type.String(), transports: Type.Optional(Type.Array(Type.String())) })
const hints = Type.Optional(
  Type.Array(Type.Union([Type.Literal('hybrid'), Type.Literal('security-key'), Type.Literal('client-device')])),
)
const requirement = Type.Union([Type.Literal('required'), Type.Literal('preferred'), Type.Literal('discouraged')])

/** JSON Schema of `PublicKeyCredentialCreationOptionsJSON`, as it is given. */
export const creationOptionsSchema: TSchema = Type.Object(
  {
    challenge: Type.String(),
    rp: Type.Object({ id: Type.String(), name: Type.String() }),
    user: Type.Object({ id: Type.String(), name: Type.String(), displayName: Type.String() }),
    pubKeyCredParams: Type.Array(Type.Object({ type, alg: Type.Integer() })),
    timeout: Type.Integer({ description: 'Milliseconds' }),
    attestation: Type.Literal('none'),
    excludeCredentials: Type.Array(descriptor),
    authenticatorSelection: Type.Object({
      residentKey: requirement,
      requireResidentKey: Type.Boolean(),
      userVerification: requirement,
    }),
    extensions: Type.Optional(Type.Object({ credProps: Type.Optional(Type.Boolean()) })),
    hints,
  },
  { $id: 'PasskeyCreationOptions' },
)

/** JSON Schema of `PublicKeyCredentialRequestOptionsJSON`, as it is given. */
export const requestOptionsSchema: TSchema = Type.Object(
  {
    challenge: Type.String(),
    rpId: Type.String(),
    timeout: Type.Integer({ description: 'Milliseconds' }),
    userVerification: requirement,
    allowCredentials: Type.Array(descriptor),
    hints,
  },
  { $id: 'PasskeyRequestOptions' },
)
