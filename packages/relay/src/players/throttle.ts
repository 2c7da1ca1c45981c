import { type Clock, systemClock } from './throttle-clock.js'

/** Called when it is the one's turn, who then calls `take` again. Its identity is the place in the queue. */
export type Turn = () => void

/** How long of its rate one may take at a time while others wait. */
const TURN_SECONDS = 0.01
const MIN_TURN_BYTES = 1_460
const MAX_TURN_BYTES = 65_536
/** What an idle throttle saves up, and so the largest burst above the rate. */
const BURST_SECONDS = 0.05
/** What may be made up for when those who wait were called late, since the process had no time for them. */
const LATE_SECONDS = 1
/** The same when who was called was late, which may be for other reasons. */
const ABSENT_SECONDS = 0.25
const MIN_WAIT_MS = 1
const MAX_WAIT_MS = 1_000
const MS_PER_SECOND = 1_000

/**
 * A bound on bytes per second that many share: a token bucket that may go into debt by one turn, and a queue of those who wait for
 * it to be paid, served in order so that each gets the same share however much it has. Who waits holds no bytes here.
 *
 * In any time, no more passes than the rate allows for it and 50 ms more (or one turn, if that is more). Only after the process itself
 * had no time for those who wait, what they missed, up to a second of the rate, is made up for.
 */
export class Throttle {
  readonly #clock: Clock
  #rate = 0
  #balance = 0
  #countedAt = 0
  /** In the order of their turns. A Set, so that leaving costs the same however many wait. */
  readonly #queue: Set<Turn> = new Set()
  /** Their turn has come and is not used yet. */
  readonly #invited: Set<Turn> = new Set()
  /** Of the timer. */
  #disarm: (() => void) | undefined

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Bytes per second; 0: no bound. */
  get rate(): number {
    return this.#rate
  }

  /** In force at once, for those who wait too. */
  setRate(bytesPerSecond: number): void {
    if (bytesPerSecond === this.#rate) return
    const before = this.#rate
    this.#refill()
    this.#rate = bytesPerSecond
    // Nobody pays off at the new rate what was taken at the old one for longer than it would have been then.
    this.#balance = before > 0 ? this.#balance * (bytesPerSecond / before) : 0
    this.#rearm()
  }

  /**
   * How many of `bytes` (at least 1) may pass now. When fewer than all, `turn` is called once, when the next may: never from within `take`.
   * @param whole all or nothing, for what cannot be divided
   */
  take(bytes: number, turn: Turn, whole: boolean = false): number {
    if (this.#rate === 0) return bytes
    this.#refill()
    const invited = this.#invited.delete(turn)
    const othersWait = this.#queue.size > 0
    if (!invited && (this.#balance <= 0 || othersWait)) return this.#wait(turn, 0)
    const most = othersWait ? this.#turnBytes() : Math.max(this.#turnBytes(), Math.floor(this.#balance))
    const passed = whole ? bytes : Math.min(bytes, most)
    this.#balance -= passed
    return passed < bytes ? this.#wait(turn, passed) : passed
  }

  /** Whoever does not want to pass any more must say so. */
  leave(turn: Turn): void {
    this.#invited.delete(turn)
    if (this.#queue.delete(turn) && this.#queue.size === 0) this.#rearm()
  }

  /** Calls those whose turn should have come already, for who cannot let what comes now wait: the timer may be late. */
  catchUp(): void {
    if (this.#queue.size === 0) return
    this.#refill()
    if (this.#balance <= 0) return
    this.#invite()
    this.#rearm()
  }

  #wait(turn: Turn, passed: number): number {
    this.#queue.add(turn)
    if (this.#disarm === undefined) this.#arm()
    return passed
  }

  #refill(): void {
    const now = this.#clock.now()
    const earned = ((now - this.#countedAt) / MS_PER_SECOND) * this.#rate
    this.#countedAt = now
    const most = this.#rate * this.#saveSeconds()
    // What is above, since those who wait do no more, is lost again as time goes by, so that it makes no burst later.
    if (this.#balance > most) this.#balance = Math.max(most, this.#balance - earned)
    else this.#balance = Math.min(most, this.#balance + earned)
  }

  #saveSeconds(): number {
    if (this.#queue.size > 0) return LATE_SECONDS
    return this.#invited.size > 0 ? ABSENT_SECONDS : BURST_SECONDS
  }

  #turnBytes(): number {
    return Math.min(MAX_TURN_BYTES, Math.max(MIN_TURN_BYTES, Math.floor(this.#rate * TURN_SECONDS)))
  }

  #rearm(): void {
    this.#disarm?.()
    this.#disarm = undefined
    if (this.#queue.size > 0) this.#arm()
  }

  #arm(): void {
    const debtMs = this.#rate === 0 ? 0 : (-this.#balance / this.#rate) * MS_PER_SECOND
    const delayMs = Math.ceil(Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, debtMs)))
    this.#disarm = this.#clock.after(delayMs, () => {
      this.#disarm = undefined
      this.#invite()
      if (this.#queue.size > 0 && this.#disarm === undefined) this.#arm()
    })
  }

  #invite(): void {
    this.#refill()
    const turnBytes = this.#turnBytes()
    let left = this.#balance
    // Only those who are here now: who queues again in its turn waits for the next round.
    let waiting = this.#queue.size
    for (const turn of this.#queue) {
      if (waiting === 0 || (this.#rate > 0 && left <= 0)) break
      waiting -= 1
      this.#queue.delete(turn)
      left -= turnBytes
      this.#invited.add(turn)
      turn()
    }
  }
}
