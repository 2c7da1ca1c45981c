import type {
  AllocationCondition,
  AllocationStatus,
  AllocationTraffic,
  RelayAllocation,
  RelayStatusMessage,
  RelayTrafficMessage,
} from '@sallyport/relay'

interface Told {
  protocol: RelayAllocation['protocol']
  port: number
  /** As the relay last said; undefined: it has not yet. */
  condition: AllocationCondition | undefined
  error: string | undefined
  traffic: AllocationTraffic | undefined
}

/** What changed of one allocation's condition. */
export interface ConditionChange {
  readonly allocationId: number
  readonly port: number
  readonly status: AllocationCondition | 'removed'
  readonly error?: string
}

/** Removed ones that a relay may still speak of. */
const maxFormer = 1_024

/** What a relay was told to serve, and what it says of that. Whatever it says of others is passed over: it may have crossed a change. */
export class ToldAllocations {
  readonly #told = new Map<number, Told>()
  readonly #former = new Set<number>()

  /** Gives those that are gone. */
  replace(allocations: readonly RelayAllocation[]): ConditionChange[] {
    const wanted = new Set(allocations.map(({ id }) => id))
    const removed = this.remove([...this.#told.keys()].filter((id) => !wanted.has(id)))
    this.upsert(allocations)
    return removed
  }

  upsert(allocations: readonly RelayAllocation[]): void {
    for (const { id, protocol, port } of allocations) {
      const known = this.#told.get(id)
      if (known) Object.assign(known, { protocol, port })
      else this.#told.set(id, { protocol, port, condition: undefined, error: undefined, traffic: undefined })
    }
  }

  remove(ids: readonly number[]): ConditionChange[] {
    const removed: ConditionChange[] = []
    for (const id of ids) {
      const told = this.#told.get(id)
      if (!told) continue
      this.#told.delete(id)
      removed.push({ allocationId: id, port: told.port, status: 'removed' })
      this.#former.add(id)
    }
    for (const id of this.#former) {
      if (this.#former.size <= maxFormer) break
      this.#former.delete(id)
    }
    return removed
  }

  /** Whether it serves this one, or did a short time ago. */
  has(id: number): boolean {
    return this.#told.has(id) || this.#former.has(id)
  }

  /** Takes what the relay says of conditions; gives what is different. */
  note(conditions: RelayStatusMessage['allocations']): ConditionChange[] {
    const changes: ConditionChange[] = []
    for (const { id, status, error } of conditions) {
      const told = this.#told.get(id)
      if (!told || (told.condition === status && told.error === error)) continue
      told.condition = status
      told.error = error
      changes.push({ allocationId: id, port: told.port, status, ...(error === undefined ? {} : { error }) })
    }
    return changes
  }

  count(totals: RelayTrafficMessage['totals']): void {
    for (const [allocationId, bytesIn, bytesOut, connections, open] of totals) {
      const told = this.#told.get(allocationId)
      if (told) told.traffic = { allocationId, bytesIn, bytesOut, connections, open }
    }
  }

  statuses(): AllocationStatus[] {
    return [...this.#told].map(([allocationId, { protocol, port, condition = 'starting', error }]) => ({
      allocationId,
      protocol,
      port,
      status: condition,
      ...(error === undefined ? {} : { error }),
    }))
  }

  traffic(): AllocationTraffic[] {
    const totals: AllocationTraffic[] = []
    for (const { traffic } of this.#told.values()) if (traffic) totals.push(traffic)
    return totals
  }
}
