import { randomBytes } from 'node:crypto'

const MARK_LIFE_MS = 5_000
/** 512 KiB for each of two generations. */
const CELLS = 131_072

/**
 * Remembers for a while, in a fixed amount of memory, which sources were seen. Only keyed hashes: a newer source may take the place of an older
 * one, and the chance that one is taken for another is about one in 2^32.
 */
export class SourceMarks {
  readonly #seeds: Uint32Array = new Uint32Array(2)
  #young: Uint32Array = new Uint32Array(CELLS)
  #old: Uint32Array = new Uint32Array(CELLS)
  #turnedAt: number

  /** @param now milliseconds of a monotonic clock, as below */
  constructor(now: number) {
    this.#seeds.set(new Uint32Array(randomBytes(8).buffer.slice(0, 8)))
    this.#turnedAt = now
  }

  /** Marks the source. True when it was marked before, five to ten seconds ago at most. */
  see(address: string, port: number, now: number): boolean {
    if (now - this.#turnedAt >= MARK_LIFE_MS) this.#turn(now)
    let cell = (this.#seeds[0] ?? 0) ^ port
    let mark = Math.imul((this.#seeds[1] ?? 0) ^ port, 0x9e3779b1)
    for (let at = 0; at < address.length; at += 1) {
      const code = address.charCodeAt(at)
      cell = Math.imul(cell ^ code, 0x85ebca6b)
      cell ^= cell >>> 15
      mark = Math.imul(mark ^ code, 0xc2b2ae35)
      mark ^= mark >>> 13
    }
    cell = Math.imul(cell ^ (cell >>> 16), 0x27d4eb2f)
    cell = (cell ^ (cell >>> 15)) & (CELLS - 1)
    // 0 is an empty cell.
    mark = (mark >>> 0) | 1
    mark >>>= 0
    if (this.#young[cell] === mark) return true
    const seen = this.#old[cell] === mark
    this.#young[cell] = mark
    return seen
  }

  #turn(now: number): void {
    const both = now - this.#turnedAt >= 2 * MARK_LIFE_MS
    const old = this.#old
    this.#old = this.#young
    this.#young = old
    this.#young.fill(0)
    if (both) this.#old.fill(0)
    this.#turnedAt = now
  }
}
