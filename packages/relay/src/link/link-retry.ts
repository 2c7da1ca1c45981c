import { DEFAULT_RETRY, type RetryTimings, retryDelay } from '../backoff.js'
import type { AgentLimits } from '../limits.js'

/** So many MOVEDs in a row are followed at once, until there was none for a while. */
const MAX_QUICK_MOVES = 4
const MOVES_FORGOTTEN_MS = 1_000

/** When a link is tried again. */
export class LinkRetry {
  readonly #timings: RetryTimings
  readonly #onDue: () => void
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #moves = 0
  #movedAt = Number.NEGATIVE_INFINITY
  #ended = false

  constructor({ retryMinMs, retryMaxMs }: AgentLimits, onDue: () => void) {
    const quick = { quickMinMs: retryMinMs, quickMaxMs: 5 * retryMinMs }
    this.#timings = { ...DEFAULT_RETRY, ...quick, slowStartMs: 10 * retryMinMs, maxMs: retryMaxMs }
    this.#onDue = onDue
  }

  /** More slowly each time. @param delayMs instead of that */
  later(delayMs: number = retryDelay(this.#failures, this.#timings)): void {
    if (this.#ended) return
    this.#failures += 1
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onDue, delayMs)
  }

  /** It was just heard of the relay, so it may be back. A first try that is near stays as it is, however often it is heard of. */
  soon(): void {
    if (this.#failures <= 1) return
    this.#failures = 0
    this.later()
  }

  /** The relay has said MOVED. At once, but for one that says so again and again. */
  moved(): void {
    const now = performance.now()
    if (now - this.#movedAt >= MOVES_FORGOTTEN_MS) this.#moves = 0
    this.#movedAt = now
    this.#moves += 1
    if (this.#moves > MAX_QUICK_MOVES) this.later()
    else this.#onDue()
  }

  /** What went wrong so far says nothing any more. */
  forget(): void {
    this.#failures = 0
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  /** From now on nothing is tried. */
  end(): void {
    this.#ended = true
    this.cancel()
  }
}
