import type { ChannelTimings } from './channel-timings.js'

export type ReachAction =
  /** Send PING with the next id. */
  | 'ping'
  /** Begin anew on a new socket. */
  | 'renew'

/** How much faster PINGs follow each other when one was not answered. */
const HASTE = 4

/**
 * Does UDP get through, both ways? Judged by PONGs alone: what arrives from the relay does not say that anything arrives there. Tries
 * for ever. No I/O and no timers; times are of `performance.now()`.
 */
export class UdpReach {
  readonly #timings: ChannelTimings
  #state: 'trying' | 'up' | 'down' = 'down'
  /** When the state began. */
  #since = 0
  #failures = 0
  #pingId = 0
  /** Only PONGs to this PING and later ones count. */
  #countFrom = 0
  /** PONGs still wanted in this try. */
  #wanted = 1
  #pingedAt = Number.NEGATIVE_INFINITY
  /** Of the first PING that was not answered; undefined: none. */
  #unansweredSince: number | undefined
  #activeAt = Number.NEGATIVE_INFINITY
  #wantedAt = Number.NEGATIVE_INFINITY

  constructor(timings: ChannelTimings) {
    this.#timings = timings
  }

  get up(): boolean {
    return this.#state === 'up'
  }

  /** For PING; each one once. */
  nextId(now: number): number {
    this.#pingedAt = now
    this.#unansweredSince ??= now
    this.#pingId = (this.#pingId + 1) >>> 0
    return this.#pingId
  }

  /** Nothing is known of this way. One answer is enough when there is no other, two to leave a stream that works. */
  begin(now: number, wanted: 1 | 2): void {
    this.#state = 'trying'
    this.#since = now
    this.#wanted = wanted
    this.#countFrom = this.#pingId + 1
    this.#pingedAt = Number.NEGATIVE_INFINITY
    this.#unansweredSince = undefined
  }

  /** A new link to the same relay: no reason to believe that the way is another, but a reason to ask. */
  doubt(): void {
    this.#failures = 0
    this.hurry()
  }

  /** Something waits for an answer: it is asked at once, whatever was found out before. */
  hurry(): void {
    this.#pingedAt = Number.NEGATIVE_INFINITY
    if (this.#state === 'down') this.#since = Number.NEGATIVE_INFINITY
  }

  /** Flows send or receive. */
  traffic(now: number): void {
    this.#activeAt = now
    this.#wantedAt = now
  }

  /** There are flows, or there is something for one. */
  want(now: number): void {
    this.#wantedAt = now
  }

  /** Somebody needs a way, or did not long ago. */
  isWanted(now: number): boolean {
    return now - this.#wantedAt < this.#timings.streamIdleMs
  }

  /** True when this answer makes UDP usable; either way a PING is due. */
  pong(id: number): boolean {
    if (id < this.#countFrom || id > this.#pingId || this.#state === 'down') return false
    this.#unansweredSince = undefined
    if (this.#state === 'up') return false
    this.#wanted -= 1
    this.#countFrom = this.#pingId + 1
    this.#pingedAt = Number.NEGATIVE_INFINITY
    if (this.#wanted > 0) return false
    this.#state = 'up'
    this.#failures = 0
    return true
  }

  /** Whether a stream is wanted meanwhile. An agent that has nothing to do for UDP costs the relay no connection. */
  needsStream(now: number): boolean {
    if (!this.isWanted(now)) return false
    if (this.#state !== 'trying') return this.#state === 'down'
    // What has failed before is not waited for again.
    return this.#failures > 0 || now - this.#since >= this.#timings.patienceMs
  }

  /** What is to be done now, and when to ask again at the latest. */
  act(now: number): { action: ReachAction | undefined; waitMs: number } {
    if (this.#state === 'up') return this.#keepUp(now)
    if (this.#state === 'trying') return this.#try(now)
    return this.#rest(now)
  }

  #keepUp(now: number): { action: ReachAction | undefined; waitMs: number } {
    const { checkEveryMs, keepAliveMs, activeMs, lostMs } = this.#timings
    if (this.#unansweredSince !== undefined && now - this.#unansweredSince >= lostMs) {
      this.begin(now, 2)
      this.#since = now - this.#timings.patienceMs
      return { action: 'renew', waitMs: 0 }
    }
    const waits = this.#unansweredSince !== undefined
    const late = this.#unansweredSince !== undefined && now - this.#unansweredSince >= checkEveryMs
    const everyMs = late ? checkEveryMs / HASTE : checkEveryMs
    const dueMs = waits || now - this.#activeAt < activeMs ? everyMs : keepAliveMs
    return { action: now - this.#pingedAt >= dueMs ? 'ping' : undefined, waitMs: everyMs }
  }

  #try(now: number): { action: ReachAction | undefined; waitMs: number } {
    const { tryEveryMs, patienceMs, tryForMs } = this.#timings
    if (now - this.#since >= tryForMs) {
      this.#state = 'down'
      this.#since = now
      this.#failures += 1
      return { action: undefined, waitMs: tryEveryMs }
    }
    // After the first try nothing is urgent until somebody waits.
    const everyMs = this.#failures === 0 || this.isWanted(now) ? tryEveryMs : patienceMs
    const due = now - this.#pingedAt >= everyMs
    return { action: due ? 'ping' : undefined, waitMs: everyMs }
  }

  #rest(now: number): { action: ReachAction | undefined; waitMs: number } {
    const { retryMinMs, retryMaxMs, restMaxMs } = this.#timings
    const mostMs = this.isWanted(now) ? retryMaxMs : restMaxMs
    const restMs = Math.min(mostMs, retryMinMs * 2 ** Math.min(this.#failures - 1, 16))
    const leftMs = this.#since + restMs - now
    if (leftMs > 0) return { action: undefined, waitMs: leftMs }
    this.begin(now, 2)
    return { action: 'renew', waitMs: 0 }
  }
}
