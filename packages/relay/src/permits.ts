/** What gives something back: however often it is called, it does so once. */
export function once(giveBack: () => void): () => void {
  let held = true
  return () => {
    if (!held) return
    held = false
    giveBack()
  }
}

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
    return once(() => {
      this.#taken -= 1
    })
  }
}

/**
 * The same for several who share: half of the permits is for whoever comes first, and of the other half each has an equal part that nobody
 * else gets; where that would be less than one, the other half is for the first one of each. So one that takes whatever it can leaves
 * something for the others.
 */
export class SharedPermits {
  readonly #max: number
  readonly #taken: KeyedCounts = new KeyedCounts()
  readonly #sharers: Set<string> = new Set()
  #total = 0

  constructor(max: number) {
    this.#max = max
  }

  /** From now on a part is kept for this one. */
  join(who: string): void {
    this.#sharers.add(who)
  }

  /** None is any more; what it has taken it keeps. */
  leave(who: string): void {
    this.#sharers.delete(who)
  }

  /** As with `Permits`. */
  take(who: string): (() => void) | undefined {
    if (this.#total + this.#keptFrom(who) >= this.#max) return undefined
    this.#total += 1
    const uncount = this.#taken.add(who)
    return once(() => {
      this.#total -= 1
      uncount()
    })
  }

  #keptFrom(who: string): number {
    const half = this.#max / 2
    const part = Math.max(1, Math.floor(half / Math.max(1, this.#sharers.size)))
    // It has not had its own part yet.
    if (this.#sharers.has(who) && this.#taken.of(who) < part) return 0
    let kept = 0
    for (const other of this.#sharers) if (other !== who) kept += Math.max(0, part - this.#taken.of(other))
    return Math.min(kept, Math.floor(half))
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
    return once(() => {
      const left = this.of(key) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    })
  }
}
