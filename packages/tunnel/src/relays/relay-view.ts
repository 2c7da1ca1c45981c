import type { AllocationCondition, RelayAllocation, RelayChange } from '@sallyport/relay'

/** An allocation as a relay should serve it, with what the database knows of that. */
export interface WantedAllocation {
  readonly allocation: RelayAllocation
  /** Whose device it is; relays are not told. */
  readonly ownerId: string | null
  readonly organisationId: string | null
  /** Changes with each change that a relay must follow. */
  readonly version: string
  /** `relay_status` and `relay_error`. */
  readonly status: string | null
  readonly error: string | null
}

export interface ViewedAllocation extends WantedAllocation {
  readonly condition: AllocationCondition
  /** While it is `failed`. */
  readonly conditionError: string | null
}

/** What one relay was last told, and what it said of it: so that a change among many costs what the change costs. */
export interface RelayView {
  /** What the relay must be told. With `deviceIds`, `wanted` is all of these devices and nothing of others; without, all there is. */
  difference(wanted: readonly WantedAllocation[], deviceIds?: readonly string[]): Omit<RelayChange, 'revision'>
  /** The relay has it. Gives the allocations that it no longer has. */
  accept(wanted: readonly WantedAllocation[], deviceIds?: readonly string[]): RelayAllocation[]
  /** What the relay says of one; it may be one that is not wanted any more. */
  note(id: number, condition: AllocationCondition | 'removed', error?: string): void
  /** What the database was told. */
  stored(id: number, status: string | null, error: string | null): void
  get(id: number): ViewedAllocation | undefined
  all(): IterableIterator<ViewedAllocation>
  readonly size: number
}

interface Entry {
  wanted: WantedAllocation
  text: string
  condition: AllocationCondition
  error: string | null
}

export function createRelayView(): RelayView {
  const entries = new Map<number, Entry>()
  const ofDevice = new Map<string, Set<number>>()

  const forget = (id: number): RelayAllocation | undefined => {
    const entry = entries.get(id)
    if (!entry) return undefined
    const { allocation } = entry.wanted
    entries.delete(id)
    const ids = ofDevice.get(allocation.deviceId)
    ids?.delete(id)
    if (ids?.size === 0) ofDevice.delete(allocation.deviceId)
    return allocation
  }

  const surplus = (wanted: readonly WantedAllocation[], deviceIds: readonly string[] | undefined): number[] => {
    const kept = new Set(wanted.map(({ allocation }) => allocation.id))
    const known = deviceIds ? deviceIds.flatMap((deviceId) => [...(ofDevice.get(deviceId) ?? [])]) : [...entries.keys()]
    return known.filter((id) => !kept.has(id))
  }

  const view = ({ wanted, condition, error }: Entry): ViewedAllocation => ({
    ...wanted,
    condition,
    conditionError: error,
  })

  return {
    difference: (wanted, deviceIds) => ({
      upsert: wanted
        .map(({ allocation }) => allocation)
        .filter((allocation) => entries.get(allocation.id)?.text !== JSON.stringify(allocation)),
      remove: surplus(wanted, deviceIds),
    }),
    accept(wanted, deviceIds) {
      const gone = surplus(wanted, deviceIds).flatMap((id) => forget(id) ?? [])
      for (const one of wanted) {
        const { id, deviceId } = one.allocation
        const before = entries.get(id)
        forget(id)
        const condition = before?.condition ?? 'starting'
        entries.set(id, { wanted: one, text: JSON.stringify(one.allocation), condition, error: before?.error ?? null })
        const ids = ofDevice.get(deviceId) ?? new Set()
        ofDevice.set(deviceId, ids.add(id))
      }
      return gone
    },
    note(id, condition, error) {
      const entry = entries.get(id)
      if (!entry || condition === 'removed') return
      entry.condition = condition
      entry.error = condition === 'failed' ? (error ?? 'unknown') : null
    },
    stored(id, status, error) {
      const entry = entries.get(id)
      if (entry) entry.wanted = { ...entry.wanted, status, error }
    },
    get(id) {
      const entry = entries.get(id)
      return entry && view(entry)
    },
    *all() {
      for (const entry of entries.values()) yield view(entry)
    },
    get size() {
      return entries.size
    },
  }
}
