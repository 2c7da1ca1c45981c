import type { Throttle } from '../players/throttle.js'

/** How much of the rate one flow may have waiting: longer than this a datagram of a game or a call is of no use. */
const QUEUE_SECONDS = 0.25
const MIN_QUEUE_BYTES = 4_096
/** Counted for each datagram that waits, over its bytes, since an empty one takes memory too. */
export const DATAGRAM_OVERHEAD_BYTES: number = 256

/** What the flows of one allocation have waiting in one direction, all together. */
export interface QueueBudget {
  usedBytes: number
  readonly maxBytes: number
}

/** One direction of a flow under a throttle: datagrams above the rate wait, in order and in a bounded queue; the rest is dropped. */
export class PacedDatagrams {
  readonly #throttle: Throttle
  readonly #budget: QueueBudget
  readonly #maxBytes: number
  readonly #pass: (payload: Buffer) => void
  #queue: Buffer[] = []
  #queuedBytes = 0

  constructor(throttle: Throttle, budget: QueueBudget, maxBytes: number, pass: (payload: Buffer) => void) {
    this.#throttle = throttle
    this.#budget = budget
    this.#maxBytes = maxBytes
    this.#pass = pass
  }

  /** Copies what it has to keep. */
  send(payload: Buffer): void {
    // After a standstill all that came meanwhile is here before the throttle's timer: what may pass makes room first.
    if (this.#queue.length > 0) this.#throttle.catchUp()
    if (this.#queue.length === 0 && (this.#throttle.rate === 0 || this.#mayPass(payload))) {
      this.#pass(payload)
      return
    }
    const cost = costOf(payload)
    const { usedBytes, maxBytes } = this.#budget
    const most = Math.min(this.#maxBytes, Math.max(MIN_QUEUE_BYTES, this.#throttle.rate * QUEUE_SECONDS))
    // The first may be larger than the whole queue: else what is larger would never come through.
    const fits = this.#queue.length === 0 || this.#queuedBytes + cost <= most
    if (!fits || usedBytes + cost > maxBytes) {
      if (this.#queue.length === 0) this.#throttle.leave(this.#turn)
      return
    }
    this.#count(cost)
    this.#queue.push(Buffer.from(payload))
  }

  /** Drops what waits. */
  close(): void {
    this.#throttle.leave(this.#turn)
    this.#count(-this.#queuedBytes)
    this.#queue = []
  }

  #mayPass(payload: Buffer): boolean {
    return this.#throttle.take(Math.max(1, payload.length), this.#turn, true) > 0
  }

  readonly #turn = (): void => {
    for (;;) {
      const [first] = this.#queue
      if (first === undefined || !this.#mayPass(first)) return
      this.#queue.shift()
      this.#count(-costOf(first))
      this.#pass(first)
    }
  }

  #count(bytes: number): void {
    this.#queuedBytes += bytes
    this.#budget.usedBytes += bytes
  }
}

function costOf(payload: Buffer): number {
  return payload.length + DATAGRAM_OVERHEAD_BYTES
}
