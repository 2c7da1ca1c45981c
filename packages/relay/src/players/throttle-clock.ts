/** Time as a throttle sees it; another one is for tests. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  /** Calls once, not before `delayMs`; gives what takes it back. */
  after(delayMs: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
}
