import { DATAGRAM_OVERHEAD_BYTES, type QueueBudget } from './paced-datagrams.js'

/** Datagrams that cannot go on yet, in order. When there is no room the oldest makes it. */
export class HeldDatagrams {
  readonly #budget: QueueBudget
  readonly #maxBytes: number
  #waiting: Buffer[] = []
  #bytes = 0

  /** @param maxBytes of this queue; the budget is shared with others */
  constructor(budget: QueueBudget, maxBytes: number) {
    this.#budget = budget
    this.#maxBytes = maxBytes
  }

  /** Copies. */
  push(payload: Uint8Array): void {
    const cost = payload.length + DATAGRAM_OVERHEAD_BYTES
    const over = () => this.#bytes + cost > this.#maxBytes || this.#budget.usedBytes + cost > this.#budget.maxBytes
    let dropped = 0
    while (over()) {
      const oldest = this.#waiting[dropped]
      if (oldest === undefined) break
      dropped += 1
      this.#count(-oldest.length - DATAGRAM_OVERHEAD_BYTES)
    }
    if (dropped > 0) this.#waiting.splice(0, dropped)
    if (over()) return
    this.#waiting.push(Buffer.from(payload))
    this.#count(cost)
  }

  /** Gives all that waits, and holds nothing any more. */
  take(): Buffer[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#count(-this.#bytes)
    return waiting
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#budget.usedBytes += bytes
  }
}
