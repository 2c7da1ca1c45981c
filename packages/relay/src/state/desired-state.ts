import { RelayError } from '../errors.js'
import type { RelayAllocation, RelayState } from '../relay-types.js'
import { MAX_ALLOCATIONS, parseRelayChange, parseRelayState } from './relay-state.js'

/** What is different now: `gone` names only what was there and is not put again. */
export interface StateDifference {
  upsert: readonly RelayAllocation[]
  gone: readonly number[]
}

/** What the relay should serve. Methods throw RELAY_ERR_INVALID_STATE, and then nothing is changed. */
export class DesiredState {
  #revision = 0
  #allocations: Map<number, RelayAllocation> = new Map()

  get revision(): number {
    return this.#revision
  }

  get allocations(): RelayAllocation[] {
    return [...this.#allocations.values()]
  }

  /** Replaces the whole; false when it is older than what holds. */
  replace(value: unknown): boolean {
    const parsed = parseRelayState(value)
    if (!parsed.ok) throw new RelayError('RELAY_ERR_INVALID_STATE', parsed.detail)
    if (parsed.state.revision < this.#revision) return false
    this.restore(parsed.state)
    return true
  }

  /** The same for a state that was checked. */
  restore({ revision, allocations }: RelayState): void {
    this.#revision = revision
    this.#allocations = new Map(allocations.map((allocation) => [allocation.id, allocation]))
  }

  /** Undefined when it is not newer than what holds. */
  change(value: unknown): StateDifference | undefined {
    const parsed = parseRelayChange(value)
    if (!parsed.ok) throw new RelayError('RELAY_ERR_INVALID_STATE', parsed.detail)
    const { revision, upsert, remove } = parsed.change
    if (revision <= this.#revision) return undefined
    const known = this.#allocations
    const put = new Set(upsert.map(({ id }) => id))
    const gone = [...new Set(remove)].filter((id) => !put.has(id) && known.has(id))
    const added = upsert.filter(({ id }) => !known.has(id))
    if (known.size + added.length - gone.length > MAX_ALLOCATIONS)
      throw new RelayError('RELAY_ERR_INVALID_STATE', `over ${MAX_ALLOCATIONS} allocations`)
    this.#revision = revision
    for (const id of gone) known.delete(id)
    for (const allocation of upsert) known.set(allocation.id, allocation)
    return { upsert, gone }
  }

  snapshot(): RelayState {
    return { revision: this.#revision, allocations: this.allocations }
  }
}
