/** Runs `work` one at a time. Whoever asks while it runs shares the one run that follows. */
export interface Coalesced {
  /** Resolves or rejects with the first run that began after the call. */
  run(): Promise<void>
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>
}

export function coalesce(work: () => Promise<void>): Coalesced {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  const start = (): Promise<void> => {
    const current = work().finally(() => {
      if (running === current) running = undefined
    })
    running = current
    return current
  }

  return {
    run() {
      if (next) return next
      if (!running) return start()
      next = running
        .catch(() => undefined)
        .then(() => {
          next = undefined
          return start()
        })
      return next
    },
    async idle() {
      while (running ?? next) await (next ?? running)?.catch(() => undefined)
    },
  }
}
