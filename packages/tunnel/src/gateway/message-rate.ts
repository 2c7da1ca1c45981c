/** Counts what a peer sends, as a bucket that fills with time. */
export interface MessageRate {
  /** False when there was too much. */
  take(): boolean
}

/** @param burst how many at once, then `perSecond` */
export function createMessageRate(burst: number, perSecond: number): MessageRate {
  let left = burst
  let at = performance.now()
  return {
    take() {
      const now = performance.now()
      left = Math.min(burst, left + ((now - at) / 1_000) * perSecond)
      at = now
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
