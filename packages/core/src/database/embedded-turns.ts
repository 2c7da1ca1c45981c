/** Lets several connections share the one session of an embedded database: one at a time, a transaction as a whole. */
export interface EmbeddedTurns {
  /** Resolves when it is `connection`'s turn; at once when it has it already. */
  take(connection: object): Promise<void>
  /** Ends the turn, or the wait for one. */
  give(connection: object): void
  has(connection: object): boolean
}

export function createTurns(): EmbeddedTurns {
  const waiting = new Map<object, () => void>()
  let holder: object | undefined

  return {
    take(connection) {
      holder ??= connection
      if (holder === connection) return Promise.resolve()
      return new Promise((resolve) => void waiting.set(connection, resolve))
    },
    give(connection) {
      if (holder !== connection) {
        // Whoever has gone away wants nothing any more; its write never ends.
        waiting.delete(connection)
        return
      }
      const [next] = waiting
      holder = next?.[0]
      if (!next) return
      waiting.delete(next[0])
      next[1]()
    },
    has(connection) {
      return holder === connection
    },
  }
}
