/** Says the same thing at most once in a while. */
export interface Seldom {
  /** @param say gets how often it was not said since the last time */
  say(what: string, say: (unsaid: number) => void): void
}

/** Different things remembered; the oldest give way. */
const maxRemembered = 100

export function createSeldom(intervalMs: number): Seldom {
  const remembered = new Map<string, { untilMs: number; unsaid: number }>()
  return {
    say(what, say) {
      const nowMs = performance.now()
      const before = remembered.get(what)
      if (before && nowMs < before.untilMs) {
        before.unsaid += 1
        return
      }
      remembered.delete(what)
      remembered.set(what, { untilMs: nowMs + intervalMs, unsaid: 0 })
      for (const oldest of remembered.keys()) {
        if (remembered.size <= maxRemembered) break
        remembered.delete(oldest)
      }
      say(before?.unsaid ?? 0)
    },
  }
}
