import type { AllocationTraffic } from '../relay-types.js'

const COUNTS = ['bytesIn', 'bytesOut', 'connections', 'open'] as const

/** What totals grew by since they were last asked. */
export class TrafficGrowth {
  readonly #totals: ReadonlyMap<number, AllocationTraffic>
  readonly #told: Map<number, AllocationTraffic> = new Map()

  /** From what they are now. */
  constructor(totals: ReadonlyMap<number, AllocationTraffic>) {
    this.#totals = totals
    this.take()
  }

  take(): AllocationTraffic[] {
    const grown: AllocationTraffic[] = []
    for (const [id, now] of this.#totals) {
      const told = this.#told.get(id) ?? { allocationId: id, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
      if (COUNTS.every((count) => now[count] === told[count])) continue
      const growth = { ...now }
      for (const count of COUNTS) growth[count] -= told[count]
      grown.push(growth)
      this.#told.set(id, { ...now })
    }
    return grown
  }
}

/** Adds what is still counted; an allocation that is gone is counted no more. */
export function addTraffic(totals: ReadonlyMap<number, AllocationTraffic>, growth: readonly AllocationTraffic[]): void {
  for (const grown of growth) {
    const total = totals.get(grown.allocationId)
    if (total !== undefined) for (const count of COUNTS) total[count] += grown[count]
  }
}
