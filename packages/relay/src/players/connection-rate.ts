const MS_PER_SECOND = 1_000

/** How many new players come in a second: a token bucket that holds one second's worth. */
export class ConnectionRate {
  /** Per second; Infinity: no bound. */
  #rate: number = Number.POSITIVE_INFINITY
  #left = 0
  #countedAt = 0

  /** In force at once: a bound where there was none starts with a full second, a lower one takes what is saved above it. */
  set(perSecond: number): void {
    if (perSecond === this.#rate) return
    if (Number.isFinite(this.#rate)) this.#refill()
    else this.#countedAt = performance.now()
    this.#left = Number.isFinite(this.#rate) ? Math.min(this.#left, perSecond) : perSecond
    this.#rate = perSecond
  }

  /** False: too many came. Only who is taken counts. */
  take(): boolean {
    if (!Number.isFinite(this.#rate)) return true
    this.#refill()
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  #refill(): void {
    const now = performance.now()
    const earned = ((now - this.#countedAt) / MS_PER_SECOND) * this.#rate
    this.#countedAt = now
    this.#left = Math.min(Math.max(1, this.#rate), this.#left + earned)
  }
}
