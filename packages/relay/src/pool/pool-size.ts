/** So many may be ordered ahead for few players too. */
const MIN_SHARE = 16
/** And so many of those who are there. */
const SHARE = 1 / 4

/**
 * How many connections of one device are to be ready: doubles when that was too few, halves when it was too many. Not more than a share of
 * what is in use, since that comes back by itself: a wave of players is served by the connections of the wave before.
 */
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

  /**
   * Somebody had to wait, or took the last one. One growth at a time: what it has ordered has to come before the next.
   * @param players who wait or are served now
   */
  ranEmpty(players: number): void {
    if (!this.#mayGrow) return
    this.#mayGrow = false
    const share = Math.max(MIN_SHARE, Math.ceil(players * SHARE))
    this.#target = Math.max(this.#target, Math.min(this.#max, share, this.#target * 2))
  }

  /** A connection that was ordered is there. */
  arrived(): void {
    this.#mayGrow = true
  }

  /** So many are ready now. */
  saw(ready: number): void {
    if (ready < this.#fewest) this.#fewest = ready
  }

  /** To be called at intervals. Gives how many of those that are ready are to be closed: half of what was not needed for one interval. */
  sweep(ready: number): number {
    const unused = Math.min(this.#fewest, ready)
    if (unused * 2 > this.#target) this.#target = Math.max(this.#min, Math.ceil(this.#target / 2))
    const surplus = Math.min(Math.ceil(unused / 2), Math.max(0, ready - this.#target))
    this.#fewest = ready - surplus
    this.#mayGrow = true
    return surplus
  }
}
