/** A timer takes no more. */
const MAX_MS = 2 ** 31 - 1

/** How long something may still take, which can be made less while it takes that long. */
export class Grace {
  readonly over: Promise<void>
  #resolve: () => void = () => {}
  #timer: NodeJS.Timeout | undefined
  #endsAt: number = Number.POSITIVE_INFINITY

  constructor() {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Over after so long from now on, unless it is over before. */
  shorten(ms: number): void {
    const endsAt = performance.now() + ms
    if (endsAt >= this.#endsAt) return
    this.#endsAt = endsAt
    clearTimeout(this.#timer)
    if (ms > 0) this.#timer = setTimeout(() => this.#resolve(), Math.min(ms, MAX_MS))
    else this.#resolve()
  }

  /** It is not needed any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#endsAt = Number.NEGATIVE_INFINITY
  }
}
