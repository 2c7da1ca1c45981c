import { coreErrors, type Events, type Sql } from '@sallyport/core'
import { isAlive } from './gateway/instance-lease.js'

/** What this instance can do alone while it cannot tell the others anything. */
export interface OtherInstances {
  /**
   * To be called before anything is written. While events do not get through, whatever another living instance would have
   * to do at once is refused: it has the device's channel, or steers the relay.
   * @param relayId left out: every relay that serves the device
   * @throws `CORE_ERR_UNAVAILABLE` (503)
   */
  assertNotNeeded(deviceId: string, relayId?: string): Promise<void>
}

const retryAfterSeconds = 5

export function createOtherInstances(sql: Sql, events: Events, instanceId: string): OtherInstances {
  return {
    async assertNotNeeded(deviceId, relayId) {
      if (events.connected) return
      const needed = await sql<{ id: string }>(
        `WITH involved AS (
           SELECT instance_id FROM tunnel_devices WHERE id = $2::uuid
           UNION
           SELECT instance_id FROM tunnel_relays WHERE id = $3::text OR ($3::text IS NULL
             AND id IN (SELECT relay_id FROM tunnel_allocations WHERE device_id = $2::uuid)))
         SELECT instance_id AS id FROM involved WHERE instance_id <> $1::uuid AND ${isAlive('instance_id')} LIMIT 1`,
        [instanceId, deviceId, relayId ?? null],
      )
      if (needed.length === 0) return
      const reason = 'The panel cannot reach the instance that serves this at the moment'
      throw coreErrors.UNAVAILABLE({ reason }, { retryAfter: retryAfterSeconds })
    },
  }
}
