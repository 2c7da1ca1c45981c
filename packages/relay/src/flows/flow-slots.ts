import type { DeviceFlow } from './device-flow.js'
import { FLOW_SLOTS, flowId, generationOf, slotOf } from './flow-id.js'

/** So many are used before the first is used again: the longer a generation lasts, the surer is it what tells two flows apart. */
const MIN_SLOTS = 256

/** The flows of a device by their slots. Freed slots are used again in the order in which they were freed. */
export class FlowSlots {
  readonly #flows: (DeviceFlow | undefined)[] = []
  /** The last one used, or the one in use. */
  readonly #generations: number[] = []
  #free: number[] = []
  #nextFree = 0
  readonly #minSlots: number
  size = 0

  constructor(minSlots: number = MIN_SLOTS) {
    this.#minSlots = minSlots
  }

  get generations(): number[] {
    return [...this.#generations]
  }

  /** Goes on where another table has ended. @param taken slots for flows that are given to `resume` */
  restore(generations: readonly number[], taken: ReadonlySet<number>): void {
    for (const [slot, generation] of generations.entries()) {
      this.#generations[slot] = generation
      this.#flows[slot] = undefined
      if (!taken.has(slot)) this.#free.push(slot)
    }
  }

  resume(flow: DeviceFlow): void {
    this.#flows[slotOf(flow.id)] = flow
    this.size += 1
  }

  /** Undefined: none that is live, with this generation. */
  get(id: number): DeviceFlow | undefined {
    const flow = this.#flows[slotOf(id)]
    return flow !== undefined && flow.id === id ? flow : undefined
  }

  /** An id for a new flow, to be given to `put` at once; undefined when all are taken. */
  nextId(): number | undefined {
    const count = this.#flows.length
    const freed = this.#free.length - this.#nextFree
    if (count < FLOW_SLOTS && (freed === 0 || count < this.#minSlots)) return flowId(count, 0)
    const slot = this.#free[this.#nextFree]
    if (slot === undefined) return undefined
    return flowId(slot, generationOf((this.#generations[slot] ?? 0) + 1))
  }

  put(flow: DeviceFlow): void {
    const slot = slotOf(flow.id)
    if (slot < this.#flows.length) this.#takeFree()
    this.#flows[slot] = flow
    this.#generations[slot] = generationOf(flow.id)
    this.size += 1
  }

  delete(flow: DeviceFlow): void {
    const slot = slotOf(flow.id)
    if (this.#flows[slot] !== flow) return
    this.#flows[slot] = undefined
    this.#free.push(slot)
    this.size -= 1
  }

  list(): DeviceFlow[] {
    return this.#flows.filter((flow) => flow !== undefined)
  }

  #takeFree(): void {
    this.#nextFree += 1
    if (this.#nextFree < FLOW_SLOTS / 16 || this.#nextFree * 2 < this.#free.length) return
    this.#free = this.#free.slice(this.#nextFree)
    this.#nextFree = 0
  }
}
