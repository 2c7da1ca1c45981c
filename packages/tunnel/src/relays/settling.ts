/**
 * The time after the start of this instance in which relays come back to it. One that has not been here yet is not known to be gone:
 * its last panel went, and it tries every half a minute at the latest.
 */
export interface Settling {
  /** It was here. */
  seen(relayId: string): void
  /** It may yet come. */
  isAwaited(relayId: string): boolean
  /** Ends it early, without `onOver`. */
  stop(): void
}

interface SettlingOptions {
  readonly ms: number
  /** Who has not come is gone from now on. */
  readonly onOver: () => void
}

export function beginSettling({ ms, onOver }: SettlingOptions): Settling {
  const present = new Set<string>()
  let over = false
  const timer = setTimeout(() => {
    over = true
    present.clear()
    onOver()
  }, ms).unref()

  return {
    seen(relayId) {
      if (!over) present.add(relayId)
    },
    isAwaited: (relayId) => !over && !present.has(relayId),
    stop: () => clearTimeout(timer),
  }
}
