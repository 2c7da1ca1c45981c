/** Room for a packet on an ordinary path; paths with larger ones take LARGE. */
const SMALL_BYTES = 2_048
const LARGE_BYTES = 65_536
/** Kept for the next turn. */
const MAX_SPARE = 32

export interface Flushable {
  flush(): void
}

/**
 * The end of the event loop's turn, when everything that was gathered in it is sent; shared by all channels of a socket. It lends the
 * memory to gather in, so that channels at rest hold none.
 */
export class TurnEnd {
  readonly #small: Buffer[] = []
  readonly #large: Buffer[] = []
  #waiting: Flushable[] = []
  #immediate: NodeJS.Immediate | undefined

  /** Calls `flush` once, at the end of this turn. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable)
    this.#immediate ??= setImmediate(() => this.#flush())
  }

  borrow(bytes: number): Buffer {
    if (bytes <= SMALL_BYTES) return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES)
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
  }

  giveBack(buffer: Buffer): void {
    const spare = buffer.length === SMALL_BYTES ? this.#small : this.#large
    if (spare.length < MAX_SPARE) spare.push(buffer)
  }

  close(): void {
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#waiting = []
  }

  #flush(): void {
    this.#immediate = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const flushable of waiting) flushable.flush()
  }
}
