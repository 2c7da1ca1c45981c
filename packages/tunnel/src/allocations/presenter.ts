import { type Allocation, type AllocationRow, type LiveAllocations, toAllocation } from './allocation.js'

/** Shows allocations with what is known of them at the moment, wherever they are served. */
export type Presenter = (rows: readonly AllocationRow[]) => Promise<Allocation[]>

interface PresenterOptions {
  readonly snapshot: () => LiveAllocations
  /** Asks the instances that steer these relays what has passed. Never rejects. */
  readonly refreshTraffic: (relayIds: Iterable<string>) => Promise<void>
}

export function createPresenter({ snapshot, refreshTraffic }: PresenterOptions): Presenter {
  return async (rows) => {
    await refreshTraffic(new Set(rows.map(({ relay_id }) => relay_id)))
    const live = snapshot()
    return rows.map((row) => toAllocation(row, live))
  }
}
