import type { AllocationRow, AllocationState, LiveAllocations } from '../allocations/allocation.js'
import type { TrafficCounter } from '../traffic/traffic.js'
import type { Settling } from './settling.js'
import type { Steering } from './steering.js'

/** What is known of allocations: by the relays that are steered here, of the others by what their rows say. */
export function takeSnapshot(
  steering: Steering,
  settling: Pick<Settling, 'isAwaited'>,
  traffic: Pick<TrafficCounter, 'observe' | 'of'>,
): LiveAllocations {
  /** Reading all that a relay counts takes its time, and most ask for the state only. */
  let observed = false
  return {
    isOnline: (row) => steering.get(row.relay_id) !== undefined || row.relay_online,
    state: (row) => stateOf(row, steering, settling),
    failure: (row) => steering.get(row.relay_id)?.view.get(Number(row.id))?.conditionError ?? row.relay_error,
    traffic(row) {
      if (!observed) traffic.observe()
      observed = true
      return traffic.of(row)
    },
  }
}

function stateOf(row: AllocationRow, steering: Steering, settling: Pick<Settling, 'isAwaited'>): AllocationState {
  if (row.paused) return 'closed'
  const steered = steering.get(row.relay_id)
  if (!steered) {
    if (!row.relay_online) return settling.isAwaited(row.relay_id) ? 'pending' : 'offline'
    return row.relay_status === 'open' || row.relay_status === 'failed' ? row.relay_status : 'pending'
  }
  const viewed = steered.view.get(Number(row.id))
  if (viewed?.condition === 'listening') return viewed.allocation.paused ? 'closed' : 'open'
  return viewed?.condition === 'failed' ? 'failed' : 'pending'
}
