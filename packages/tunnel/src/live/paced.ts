import { coreErrors, isDatabaseUnavailable, type Logger } from '@sallyport/core'

/** Work that is done again when there is reason to, with pauses. */
export interface Paced {
  /** It is to be done again. */
  ask(): void
  /** The same, but soon; whoever asks during a run has what that one finds. */
  soon(): void
  /** Resolves when nothing runs. */
  stop(): Promise<void>
}

interface PacedOptions {
  readonly what: string
  readonly logger: Logger
  readonly work: () => Promise<void>
  /** Waits for a place among others. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>
}

const minPauseMs = 1_000
/** Long work pauses for longer: it takes a twentieth of the time at most, and a third when somebody waits for it. */
const share = 20
const shareSoon = 3
const maxPauseMs = 10_000
const retryMs = 2_000

export function createPaced({ what, logger, work, inTurn }: PacedOptions): Paced {
  let due = false
  let notBefore = Number.NEGATIVE_INFINITY
  let soonNotBefore = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let timerAt = 0
  let running: Promise<void> | undefined
  let stopped = false

  const attempt = async (): Promise<void> => {
    let [pauseMs, tookMs] = [minPauseMs, 0]
    try {
      await inTurn(async () => {
        due = false
        const begun = performance.now()
        if (!stopped) await work()
        tookMs = performance.now() - begun
        pauseMs = Math.min(Math.max(minPauseMs, share * tookMs), maxPauseMs)
      })
    } catch (error) {
      due = true
      pauseMs = retryMs
      // That the database is away, or that no turn came, is said elsewhere, and not once for each.
      const isSaid = isDatabaseUnavailable(error) || coreErrors.UNAVAILABLE.is(error)
      if (!isSaid) logger.warn({ err: error }, `${what} failed; it is tried again`)
    }
    notBefore = performance.now() + pauseMs
    soonNotBefore = performance.now() + Math.min(shareSoon * tookMs, pauseMs)
  }
  const start = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (stopped || running) return
    running = attempt().finally(() => {
      running = undefined
      if (due) schedule(notBefore)
    })
  }
  const schedule = (at: number): void => {
    if (stopped || running) return
    // The sooner of the two.
    if (timer && at >= timerAt) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(start, Math.max(0, at - performance.now())).unref()
  }

  return {
    ask() {
      due = true
      schedule(notBefore)
    },
    soon: () => schedule(soonNotBefore),
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
