import { SourceMarks } from './source-marks.js'

const MS_PER_SECOND = 1_000
/** New sources of one allocation that are believed at first sight: so many at once, and so many a second after that. */
const FIRST_SIGHT_BURST = 256
const FIRST_SIGHT_PER_SECOND = 64

/** A source that was believed at first sight, or has come twice. */
export type Sight = 'first' | 'again'

/**
 * Which sources of datagrams may have a flow. When more new ones come than players would, a source must come twice: forged ones do not,
 * and cost neither memory nor events.
 */
export class SourceGate {
  #tokens = FIRST_SIGHT_BURST
  #countedAt = 0
  /** Only under pressure. */
  #marks: SourceMarks | undefined

  /** For a source that has no flow; undefined: not yet. `now`: milliseconds of a monotonic clock. */
  admits(address: string, port: number, now: number): Sight | undefined {
    const earned = ((now - this.#countedAt) / MS_PER_SECOND) * FIRST_SIGHT_PER_SECOND
    this.#countedAt = now
    this.#tokens = Math.min(FIRST_SIGHT_BURST, this.#tokens + earned)
    if (this.#tokens === FIRST_SIGHT_BURST) this.#marks = undefined
    else if (this.#tokens < 1) this.#marks ??= new SourceMarks(now)
    if (this.#marks?.see(address, port, now) === true) return 'again'
    return this.#tokens >= 1 ? 'first' : undefined
  }

  /** A source that was let in has got its flow. */
  began(sight: Sight): void {
    if (sight === 'first') this.#tokens -= 1
  }
}
