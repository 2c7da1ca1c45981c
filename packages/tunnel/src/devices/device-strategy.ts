import { type AuthenticationStrategy, coreErrors, type Principal, type Sql, type TokenIssuer } from '@sallyport/core'
import { createBatched } from '../batched.js'
import { bearerToken } from '../bearer.js'
import { isDeviceId } from '../ids.js'
import type { DeviceKind } from './device.js'
import type { Owners } from './owners.js'

/** Purpose of device tokens, and name of the strategy. */
export const deviceTokenPurpose = 'tunnel-device'

/** What a device is by its token. */
export interface DevicePrincipal extends Principal {
  readonly kind: 'device'
  readonly deviceKind: DeviceKind
}

interface DeviceTokenRow {
  readonly id: string
  readonly kind: DeviceKind
  readonly token_id: string
  readonly name: string
  readonly owner_id: string | null
  readonly owner_stamp: string | null
  readonly redeemed: boolean
}

interface DeviceToken {
  readonly deviceId: string
  readonly tokenId: string
}

/** One: while it runs the next ones gather. */
const concurrency = 1
const maxBatch = 256
const maxWaiting = 20_000
const waitTimeoutMs = 10_000
const retryAfterSeconds = 5

/**
 * Signs requests of devices by their token. A token is in force while its jti is the device's: deleting the device or
 * making a new token ends it at once. Its first use ends the time in which the device code gives it out.
 */
export function createDeviceStrategy(sql: Sql, issuer: TokenIssuer, owners: Owners): AuthenticationStrategy {
  const refused = { kind: 'refused' as const, error: coreErrors.INVALID_CREDENTIALS() }

  /** Ten thousand agents that come back at once are found in a few dozen statements. */
  const lookUp = createBatched<DeviceToken, DeviceTokenRow | undefined>({
    async work(tokens) {
      const rows = await sql<DeviceTokenRow>(
        `SELECT d.id, d.kind, d.token_id, d.name, d.owner_id, d.owner_stamp, d.redeemed_at IS NOT NULL AS redeemed
         FROM jsonb_to_recordset($1::jsonb) AS t ("deviceId" uuid, "tokenId" uuid)
         JOIN tunnel_devices d ON d.id = t."deviceId" AND d.token_id = t."tokenId"
         WHERE d.approved_at IS NOT NULL`,
        [JSON.stringify(tokens)],
      )
      const found = new Map(rows.map((row) => [row.id, row]))
      return tokens.map(({ deviceId, tokenId }) => {
        const row = found.get(deviceId.toLowerCase())
        return row?.token_id === tokenId.toLowerCase() ? row : undefined
      })
    },
    concurrency,
    maxBatch,
    maxWaiting,
    waitTimeoutMs,
    mayBePoison: () => false,
    busy: () => coreErrors.UNAVAILABLE({ reason: 'Too many devices come at once' }, { retryAfter: retryAfterSeconds }),
  })

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
      const device = await lookUp.run({ deviceId: subject, tokenId: id })
      // Whoever is deleted or suspended loses the device too, but that may come later, or on an instance that was told of it.
      if (!device || !(await owners.isInForce(device.owner_id, device.owner_stamp))) return refused
      if (!device.redeemed) {
        await sql('UPDATE tunnel_devices SET redeemed_at = now() WHERE id = $1::uuid AND redeemed_at IS NULL', [
          subject,
        ])
      }
      const principal: DevicePrincipal = {
        kind: 'device',
        id: subject,
        deviceKind: device.kind,
        name: device.name,
        permissions: [],
        memberships: [],
        strategy: deviceTokenPurpose,
        ...(device.owner_id === null ? {} : { userId: device.owner_id }),
      }
      return { kind: 'authenticated', principal }
    },
  }
}
