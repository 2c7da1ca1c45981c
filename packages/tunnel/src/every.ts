import type { Disposer, Logger } from '@sallyport/core'

/** Runs `work` again and again, one at a time, `intervalMs` after the last ended. A failure is logged. */
export function every(intervalMs: number, what: string, logger: Logger, work: () => Promise<unknown>): Disposer {
  let stopped = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const schedule = (): void => {
    if (stopped) return
    timer = setTimeout(() => {
      running = work()
        .then(() => undefined)
        .catch((error: unknown) => logger.error({ err: error }, `${what} failed`))
        .finally(schedule)
    }, intervalMs)
    timer.unref()
  }
  schedule()

  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}
