/** Counts what a peer sends, as a bucket that fills with time. */
export class MessageRate {
  readonly #burst: number
  readonly #perSecond: number
  #left: number
  #at: number = performance.now()

  /** @param burst how many at once, then `perSecond` */
  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#left = burst
  }

  /** False when there was too much. */
  take(): boolean {
    const now = performance.now()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1_000) * this.#perSecond)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
