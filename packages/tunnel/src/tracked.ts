/** Work that nobody waits for now, but whoever closes must. */
export interface Tracked {
  /** @param work never rejects */
  add(work: Promise<void>): void
  /** Resolves when nothing is left. */
  idle(): Promise<void>
}

export function createTracked(): Tracked {
  const running = new Set<Promise<void>>()
  return {
    add(work) {
      const tracked = work.finally(() => running.delete(tracked))
      running.add(tracked)
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
