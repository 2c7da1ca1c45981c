import { type Clock, systemClock } from '../players/throttle-clock.js'

/** Doubles with each pause that no player was served after. */
const MIN_PAUSE_MS = 250
const MAX_PAUSE_MS = 30_000

/** After a connection that did not come, or did not stay, none are ordered but for waiting players for a while. */
export class OrderPause {
  readonly #onOver: () => void
  readonly #clock: Clock
  /** While it lasts. */
  #cancel: (() => void) | undefined
  #nextMs = MIN_PAUSE_MS

  constructor(onOver: () => void, clock: Clock = systemClock) {
    this.#onOver = onOver
    this.#clock = clock
  }

  get active(): boolean {
    return this.#cancel !== undefined
  }

  /** One that runs goes on. */
  begin(): void {
    if (this.#cancel !== undefined) return
    this.#cancel = this.#clock.after(this.#nextMs, () => {
      this.#cancel = undefined
      this.#onOver()
    })
    this.#nextMs = Math.min(MAX_PAUSE_MS, this.#nextMs * 2)
  }

  /** A player was served, or the link is another: there is no need for it, and the next is short again. */
  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#nextMs = MIN_PAUSE_MS
  }
}
