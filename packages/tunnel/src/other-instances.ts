import { coreErrors, type Events, type Sql } from '@sallyport/core'
import { isAlive } from './gateway/instance-lease.js'

/** What this instance can do alone while it cannot tell the others anything. */
export interface OtherInstances {
  /**
   * To be called before anything is written. While events do not get through, whatever another living instance would have
   * to do at once is refused: it has the channel of one of the devices, or steers one of the relays or one that serves
   * the devices.
   * @throws `CORE_ERR_UNAVAILABLE` (503)
   */
  assertNotNeeded(deviceIds: readonly string[], relayIds?: readonly string[]): Promise<void>
}

const retryAfterSeconds = 5

export function createOtherInstances(sql: Sql, events: Events, instanceId: string): OtherInstances {
  return {
    async assertNotNeeded(deviceIds, relayIds = []) {
      if (events.connected) return
      const needed = await sql<{ id: string }>(
        `WITH device AS (SELECT value::uuid AS id FROM jsonb_array_elements_text($2::jsonb)),
         involved AS (
           SELECT d.instance_id FROM tunnel_devices d JOIN device USING (id)
           UNION
           SELECT r.instance_id FROM tunnel_relays r WHERE r.id IN (SELECT jsonb_array_elements_text($3::jsonb))
           UNION
           SELECT r.instance_id FROM tunnel_relays r JOIN tunnel_allocations a ON a.relay_id = r.id
           JOIN device ON device.id = a.device_id)
         SELECT instance_id AS id FROM involved WHERE instance_id <> $1::uuid AND ${isAlive('instance_id')} LIMIT 1`,
        [instanceId, JSON.stringify(deviceIds), JSON.stringify(relayIds)],
      )
      if (needed.length === 0) return
      const reason = 'The panel cannot reach the instance that serves this at the moment'
      throw coreErrors.UNAVAILABLE({ reason }, { retryAfter: retryAfterSeconds })
    },
  }
}
