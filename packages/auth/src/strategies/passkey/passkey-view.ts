import { type TSchema, Type } from '@sinclair/typebox'
import type { DeviceType, Passkey } from './passkey-store.js'

/** A passkey, as its user sees it: without its key. Times are ISO 8601, UTC. */
export interface PasskeyView {
  readonly id: string
  readonly name: string
  /** Base64url; a browser is told by it which passkeys are still known (`signalAllAcceptedCredentials`). */
  readonly credentialId: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
  /** `multiDevice` when it is synchronised between devices. */
  readonly deviceType: DeviceType
  readonly backedUp: boolean
  readonly transports: readonly string[]
  /** Model of the authenticator, as it says itself. */
  readonly aaguid: string
}

const time = Type.String({ format: 'date-time' })

/** JSON Schema of `PasskeyView`. */
export const passkeyViewSchema: TSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    credentialId: Type.String(),
    createdAt: time,
    lastUsedAt: Type.Union([time, Type.Null()]),
    deviceType: Type.Union([Type.Literal('singleDevice'), Type.Literal('multiDevice')]),
    backedUp: Type.Boolean(),
    transports: Type.Array(Type.String()),
    aaguid: Type.String(),
  },
  { $id: 'Passkey' },
)

export function toPasskeyView(passkey: Passkey): PasskeyView {
  const { id, name, credentialId, createdAt, lastUsedAt, deviceType, backedUp, transports, aaguid } = passkey
  return {
    id,
    name,
    credentialId,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    deviceType,
    backedUp,
    transports,
    aaguid,
  }
}
