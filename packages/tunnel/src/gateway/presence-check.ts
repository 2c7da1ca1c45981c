import type { ControlSession } from './control-session.js'
import type { ChannelRecord, Presence } from './presence.js'

/** What a look at the database says of sessions of this instance. */
export interface PresenceCheck {
  /** Their token is dead, or their device is gone. */
  readonly dead: ControlSession[]
  /** Their device has a newer channel. */
  readonly replaced: ControlSession[]
}

/**
 * Finds what no event told of. Heals what is written wrongly: devices that are here and not written so, and the other way round.
 * @param session of a device, whether welcomed or not
 */
export async function checkPresence(
  presence: Presence,
  welcomed: readonly ControlSession[],
  session: (deviceId: string) => ControlSession | undefined,
): Promise<PresenceCheck> {
  const records = await presence.look(welcomed.map(({ deviceId }) => deviceId))
  const byDevice = new Map(records.map((record) => [record.deviceId, record]))
  const dead: ControlSession[] = []
  const replaced: ControlSession[] = []
  const lost: ChannelRecord[] = []
  for (const one of welcomed) {
    const record = byDevice.get(one.deviceId)
    if (one.hasEnded) continue
    if (record?.tokenId !== one.tokenId) dead.push(one)
    else if (record.sessionNumber > (one.number ?? 0)) replaced.push(one)
    else if (!record.isHere && record.sessionId === one.id) lost.push(one)
  }
  const ghosts: { id: string; deviceId: string }[] = []
  for (const { deviceId, sessionId, isHere } of records) {
    // A session that is on its way, or that came since, writes for itself.
    if (isHere && sessionId !== null && !session(deviceId)) ghosts.push({ id: sessionId, deviceId })
  }
  if (lost.length > 0) await presence.restore(lost)
  if (ghosts.length > 0) await presence.disconnected(ghosts)
  return { dead, replaced }
}
