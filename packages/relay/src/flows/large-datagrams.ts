/** Smaller ones are what games and calls send: a turn of the event loop takes too few of them from a socket to matter. */
export const LARGE_DATAGRAM_BYTES = 8_192

/**
 * How much in large datagrams goes on in one turn of the event loop: of one flow, and twice that of a port. Who sends more would have all of the
 * relay's time, and of the agent's, for encryption; dropped before that they cost little, and small datagrams need not wait behind them.
 */
export class LargeDatagrams<F> {
  readonly #maxBytesPerFlow: number
  readonly #spent: Map<F, number> = new Map()
  #spentInAll = 0
  #turnEnd: NodeJS.Immediate | undefined

  constructor(maxBytesPerFlow: number) {
    this.#maxBytesPerFlow = maxBytesPerFlow
  }

  /** False: the datagram is to be dropped. The first of a flow always passes, if the port has room. */
  takes(flow: F, bytes: number): boolean {
    const before = this.#spent.get(flow) ?? 0
    if (before > 0 && before + bytes > this.#maxBytesPerFlow) return false
    if (this.#spentInAll > 0 && this.#spentInAll + bytes > 2 * this.#maxBytesPerFlow) return false
    this.#spent.set(flow, before + bytes)
    this.#spentInAll += bytes
    this.#turnEnd ??= setImmediate(this.#nextTurn)
    return true
  }

  close(): void {
    clearImmediate(this.#turnEnd)
    this.#nextTurn()
  }

  readonly #nextTurn = (): void => {
    this.#turnEnd = undefined
    this.#spentInAll = 0
    this.#spent.clear()
  }
}
