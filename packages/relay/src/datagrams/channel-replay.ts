const WORD_BITS = 32
const WORDS = 64
/** One word is always the one being filled anew, so that many numbers behind the newest are still taken. */
export const REPLAY_WINDOW: number = (WORDS - 1) * WORD_BITS

/**
 * Which packet numbers were seen: a ring of bits that is never shifted (RFC 6479). Numbers are whole, below 2^53.
 */
export class ReplayWindow {
  readonly #bits: Uint32Array = new Uint32Array(WORDS)
  #newest = -1

  get newest(): number {
    return this.#newest
  }

  /** Whether the number is new; asked before the packet is authenticated, so nothing changes. */
  isNew(counter: number): boolean {
    if (counter > this.#newest) return true
    if (this.#newest - counter >= REPLAY_WINDOW) return false
    const word = Math.floor(counter / WORD_BITS)
    return ((this.#bits[word % WORDS] ?? 0) & (1 << (counter % WORD_BITS))) === 0
  }

  /** The packet is authentic, and its number was new. */
  add(counter: number): void {
    const word = Math.floor(counter / WORD_BITS)
    if (counter > this.#newest) {
      const before = Math.floor(this.#newest / WORD_BITS)
      const passed = Math.min(word - before, WORDS)
      for (let step = 0; step < passed; step += 1) this.#bits[(word - step) % WORDS] = 0
      this.#newest = counter
    }
    const at = word % WORDS
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (counter % WORD_BITS))
  }
}
