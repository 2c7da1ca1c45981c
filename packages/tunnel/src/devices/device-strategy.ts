import {
  type AuthenticationStrategy,
  coreErrors,
  type Sql,
  type TokenIssuer,
  type UserDirectory,
} from '@sallyport/core'
import { bearerToken } from '../bearer.js'
import { isDeviceId } from '../ids.js'

/** Purpose of device tokens, and name of the strategy. */
export const deviceTokenPurpose = 'tunnel-device'

interface DeviceTokenRow {
  readonly name: string
  readonly owner_id: string | null
  readonly organisation_id: string | null
  readonly redeemed: boolean
}

/**
 * Signs requests of devices by their token. A token is in force while its jti is the device's: deleting the device or
 * making a new token ends it at once. Its first use ends the time in which the device code gives it out.
 */
export function createDeviceStrategy(
  sql: Sql,
  issuer: TokenIssuer,
  directory: UserDirectory | undefined,
): AuthenticationStrategy {
  const refused = { kind: 'refused' as const, error: coreErrors.INVALID_CREDENTIALS() }

  /** Whoever is deleted loses the device too, but that may come later, or on an instance that was told of it. */
  const hasLeft = async (ownerId: string | null): Promise<boolean> => {
    if (ownerId === null || !directory) return false
    const owner = await directory.findById(ownerId)
    return owner === undefined || owner.suspended
  }

  return {
    name: deviceTokenPurpose,
    schemes: ['Bearer'],
    async authenticate({ headers }) {
      const token = bearerToken(headers)
      if (token === undefined) return { kind: 'absent' }
      const verified = issuer.verify(token)
      if (verified.kind === 'foreign') return { kind: 'absent' }
      if (verified.kind !== 'valid') return refused
      const { subject, id } = verified.claims
      if (!isDeviceId(subject) || !isDeviceId(id)) return refused
      const [device] = await sql<DeviceTokenRow>(
        `SELECT name, owner_id, organisation_id, redeemed_at IS NOT NULL AS redeemed
         FROM tunnel_devices WHERE id = $1::uuid AND token_id = $2::uuid AND approved_at IS NOT NULL`,
        [subject, id],
      )
      if (!device || (await hasLeft(device.owner_id))) return refused
      if (!device.redeemed) {
        await sql('UPDATE tunnel_devices SET redeemed_at = now() WHERE id = $1::uuid AND redeemed_at IS NULL', [
          subject,
        ])
      }
      return {
        kind: 'authenticated',
        principal: {
          kind: 'device',
          id: subject,
          name: device.name,
          permissions: [],
          memberships: [],
          strategy: deviceTokenPurpose,
          ...(device.owner_id === null ? {} : { userId: device.owner_id }),
        },
      }
    },
  }
}
