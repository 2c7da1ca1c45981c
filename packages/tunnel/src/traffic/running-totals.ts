import type { AllocationTraffic } from '@sallyport/relay'
import type { AllocationRow, Traffic } from '../allocations/allocation.js'
import { storedTraffic } from '../allocations/allocation.js'

/** What of a row is needed to say what passes the allocation now; the rest need not be kept. */
export type CountedRow = Pick<
  AllocationRow,
  | 'id'
  | 'relay_id'
  | 'bytes_in'
  | 'bytes_out'
  | 'connections'
  | 'counted_epoch'
  | 'counted_before'
  | 'counted_in'
  | 'counted_out'
  | 'counted_connections'
>

/** What a relay has counted for one allocation since its epoch began, and how fast it grows. */
export interface RunningTotals extends Omit<AllocationTraffic, 'allocationId'> {
  /** Over the last second or so. */
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
}

/** Traffic of one allocation at this moment. */
export interface LiveTraffic extends Traffic {
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
}

/** Joins the database's totals with the relay's running ones, of which the row says how much it has already. */
export function joinTotals(row: CountedRow, epoch: string, running: RunningTotals): LiveTraffic {
  const stored = storedTraffic(row)
  const { open, bytesInPerSecond, bytesOutPerSecond } = running
  const over = row.counted_before === epoch
  const same = row.counted_epoch === epoch
  const since = (now: number, counted: AllocationRow['counted_in']): number => {
    if (over) return 0
    return same ? Math.max(0, now - Number(counted)) : now
  }
  return {
    bytesIn: stored.bytesIn + since(running.bytesIn, row.counted_in),
    bytesOut: stored.bytesOut + since(running.bytesOut, row.counted_out),
    connections: stored.connections + since(running.connections, row.counted_connections),
    open,
    bytesInPerSecond,
    bytesOutPerSecond,
  }
}
