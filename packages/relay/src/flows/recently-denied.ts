const REMEMBERED_MS = 5_000
const MAX_REMEMBERED = 1_024

/** UDP players who were not let in, for a short while, so that not each of their datagrams asks anew. The oldest makes room. */
export class RecentlyDenied {
  readonly #until: Map<string, number> = new Map()

  add(address: string, port: number): void {
    const key = keyOf(address, port)
    this.#until.delete(key)
    if (this.#until.size >= MAX_REMEMBERED)
      for (const oldest of this.#until.keys()) {
        this.#until.delete(oldest)
        break
      }
    this.#until.set(key, performance.now() + REMEMBERED_MS)
  }

  has(address: string, port: number): boolean {
    if (this.#until.size === 0) return false
    const key = keyOf(address, port)
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (performance.now() < until) return true
    this.#until.delete(key)
    return false
  }
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`
}
