/** A bound on something that is taken and given back. */
export class Permits {
  readonly #max: number
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Gives what returns the permit (once, however often it is called), or undefined when there is none left. */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#max) return undefined
    this.#taken += 1
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#taken -= 1
    }
  }
}

/** How many there are of each key; keys without any are not held. */
export class KeyedCounts {
  readonly #counts: Map<string, number> = new Map()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  /** Gives what takes it off again, once. */
  add(key: string): () => void {
    this.#counts.set(key, this.of(key) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      const left = this.of(key) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }
}
