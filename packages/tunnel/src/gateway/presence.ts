import type { Sql } from '@sallyport/core'

/** A channel that has said hello. */
export interface ChannelRecord {
  /** As in `tunnel_devices.session_id`. */
  readonly id: string
  readonly deviceId: string
  /** jti of the token that opened it. */
  readonly tokenId: string
}

export interface Newcomer extends ChannelRecord {
  readonly version: string
  readonly platform: string
}

/** What the database says of a device whose channel it has taken note of. */
export interface ConnectedDevice {
  readonly id: string
  readonly name: string
  readonly organisationId: string | null
  /** Counts the device's channels: the highest is the newest. */
  readonly sessionNumber: number
  /** Another instance had the device until now. */
  readonly wasElsewhere: boolean
}

/** What the database says of a device that should be here. */
export interface DevicePresence {
  readonly deviceId: string
  readonly tokenId: string | null
  readonly sessionId: string | null
  readonly sessionNumber: number
  readonly isHere: boolean
}

/** Which devices are connected where, in the database. Everything in statements for many, which lock rows in the order of ids. */
export interface Presence {
  /**
   * Takes note of channels, of different devices each; in their order, `undefined` for those whose token is no longer in force.
   * From then on the device is here, and each older channel of it, wherever it is, is out.
   */
  connected(channels: readonly Newcomer[]): Promise<(ConnectedDevice | undefined)[]>
  /** Those channels are gone; nothing happens to devices that have a newer one. */
  disconnected(channels: readonly Pick<ChannelRecord, 'id' | 'deviceId'>[]): Promise<void>
  /** What is written of all devices that are here by the database, and of these. */
  look(deviceIds: readonly string[]): Promise<DevicePresence[]>
  /** Writes those down as here, if they are still the newest of their device. */
  restore(channels: readonly Pick<ChannelRecord, 'id' | 'deviceId'>[]): Promise<void>
  /** Nobody is connected to this instance; with `all`, to none. */
  clear(all?: boolean): Promise<void>
}

interface ConnectedRow {
  readonly id: string
  readonly name: string
  readonly organisation_id: string | null
  readonly session_number: number | string
  readonly was_elsewhere: boolean | null
}

export function createPresence(sql: Sql, instanceId: string): Presence {
  return {
    async connected(channels) {
      const rows = await sql<ConnectedRow>(
        `WITH given AS (
           SELECT * FROM jsonb_to_recordset($1::jsonb)
             AS g (id uuid, token uuid, session uuid, version text, platform text)),
         locked AS (
           SELECT d.id, d.instance_id AS former FROM tunnel_devices d JOIN given g ON g.id = d.id
           WHERE d.token_id = g.token AND d.approved_at IS NOT NULL
           ORDER BY d.id FOR NO KEY UPDATE OF d)
         UPDATE tunnel_devices d SET
           session_number = d.session_number + 1, session_id = g.session, instance_id = $2::uuid,
           last_seen_at = now(), version = g.version, platform = g.platform
         FROM locked l JOIN given g ON g.id = l.id
         WHERE d.id = l.id
         RETURNING d.id, d.name, d.organisation_id, d.session_number, l.former <> $2::uuid AS was_elsewhere`,
        [
          JSON.stringify(
            channels.map(({ id, deviceId, tokenId, version, platform }) => ({
              id: deviceId,
              token: tokenId,
              session: id,
              version,
              platform,
            })),
          ),
          instanceId,
        ],
      )
      const byDevice = new Map(rows.map((row) => [row.id, row]))
      return channels.map(({ deviceId }) => toConnected(byDevice.get(deviceId)))
    },

    async disconnected(channels) {
      await sql(
        `WITH given AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (id uuid, session uuid)),
         locked AS (
           SELECT d.id FROM tunnel_devices d JOIN given g ON g.id = d.id AND g.session = d.session_id
           ORDER BY d.id FOR NO KEY UPDATE OF d)
         UPDATE tunnel_devices d SET instance_id = NULL, last_seen_at = now() FROM locked l WHERE d.id = l.id`,
        [listed(channels)],
      )
    },

    async look(deviceIds) {
      const rows = await sql<{
        id: string
        token_id: string | null
        session_id: string | null
        session_number: number | string
        is_here: boolean
      }>(
        `SELECT id, token_id, session_id, session_number, instance_id IS NOT DISTINCT FROM $1::uuid AS is_here
         FROM tunnel_devices
         WHERE instance_id = $1::uuid OR id IN (SELECT jsonb_array_elements_text($2::jsonb)::uuid)`,
        [instanceId, JSON.stringify(deviceIds)],
      )
      return rows.map((row) => ({
        deviceId: row.id,
        tokenId: row.token_id,
        sessionId: row.session_id,
        sessionNumber: Number(row.session_number),
        isHere: row.is_here,
      }))
    },

    async restore(channels) {
      await sql(
        `WITH given AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (id uuid, session uuid)),
         locked AS (
           SELECT d.id FROM tunnel_devices d JOIN given g ON g.id = d.id AND g.session = d.session_id
           ORDER BY d.id FOR NO KEY UPDATE OF d)
         UPDATE tunnel_devices d SET instance_id = $2::uuid, last_seen_at = now() FROM locked l WHERE d.id = l.id`,
        [listed(channels), instanceId],
      )
    },

    async clear(all = false) {
      await sql(
        `WITH locked AS (
           SELECT id FROM tunnel_devices WHERE instance_id IS NOT NULL AND ($2::boolean OR instance_id = $1::uuid)
           ORDER BY id FOR NO KEY UPDATE)
         UPDATE tunnel_devices d SET instance_id = NULL, last_seen_at = now() FROM locked l WHERE d.id = l.id`,
        [instanceId, all],
      )
    },
  }
}

function listed(channels: readonly Pick<ChannelRecord, 'id' | 'deviceId'>[]): string {
  return JSON.stringify(channels.map(({ id, deviceId }) => ({ id: deviceId, session: id })))
}

function toConnected(row: ConnectedRow | undefined): ConnectedDevice | undefined {
  return (
    row && {
      id: row.id,
      name: row.name,
      organisationId: row.organisation_id,
      sessionNumber: Number(row.session_number),
      wasElsewhere: row.was_elsewhere === true,
    }
  )
}
