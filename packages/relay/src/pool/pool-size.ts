/** How many connections of one device are to be ready: doubles when that was too few, halves when it was too many. */
export class PoolSize {
  readonly #min: number
  readonly #max: number
  #target: number
  /** The fewest that were ready at a time since the last sweep: as many were not needed. */
  #fewest = 0
  #mayGrow = true

  constructor({ min, max }: { min: number; max: number }) {
    this.#min = Math.min(min, max)
    this.#max = max
    this.#target = this.#min
  }

  /** Beside those who wait, and not more than `max`. */
  get target(): number {
    return this.#target
  }

  /** As small as it gets. */
  get atRest(): boolean {
    return this.#target === this.#min
  }

  /** Somebody had to wait, or took the last one. One growth at a time: what it has ordered has to come before the next. */
  ranEmpty(): void {
    if (!this.#mayGrow) return
    this.#mayGrow = false
    this.#target = Math.min(this.#max, this.#target * 2)
  }

  /** A connection that was ordered is there. */
  arrived(): void {
    this.#mayGrow = true
  }

  /** So many are ready now. */
  saw(ready: number): void {
    if (ready < this.#fewest) this.#fewest = ready
  }

  /** To be called at intervals. Gives how many of those that are ready are to be closed: they have not been needed for one interval. */
  sweep(ready: number): number {
    const unused = Math.min(this.#fewest, ready)
    if (unused * 2 > this.#target) this.#target = Math.max(this.#min, Math.ceil(this.#target / 2))
    const surplus = Math.min(unused, Math.max(0, ready - this.#target))
    this.#fewest = ready - surplus
    this.#mayGrow = true
    return surplus
  }
}
