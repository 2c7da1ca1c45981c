import type { Disposer, Logger } from '@sallyport/core'

/** Runs `work` every `intervalMs` milliseconds, one at a time; a failure is logged and the next time comes. */
export function regularly(intervalMs: number, name: string, logger: Logger, work: () => Promise<void>): Disposer {
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
    try {
      await work()
    } catch (error) {
      logger.warn({ err: error }, `${name} failed`)
    } finally {
      running = undefined
    }
  }
  const timer = setInterval(() => {
    running ??= run()
  }, intervalMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
