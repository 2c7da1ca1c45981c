import { type BoundedWork, createBoundedWork, type Logger } from '@sallyport/core'

/**
 * What is done after a request has been answered, so that its answer tells neither by its words nor by its time whether
 * there was something to do.
 */
export interface Background {
  /**
   * Begins once the answer has left. What fails, takes too long or finds the line full is logged and not tried again.
   * @param name of what is done, for the log
   */
  run(name: string, work: () => Promise<void>): void
  /** Resolves when nothing is left to do, or when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>
  /** Takes nothing more, and waits a moment for what is under way. */
  close(): Promise<void>
}

const concurrency = 4
const maxWaiting = 1_000
/** Longest time in the line, for one piece of work, and at the end for all, in milliseconds. */
const waitTimeoutMs = 120_000
const workTimeoutMs = 60_000
const closeTimeoutMs = 2_000

export function createBackground(logger: Logger): Background {
  const inLine: BoundedWork = createBoundedWork({
    concurrency,
    maxWaiting,
    waitTimeoutMs,
    busy: () => new Error('there is too much to do'),
  })
  const open = new Set<Promise<void>>()
  let closed = false

  const perform = async (name: string, work: () => Promise<void>): Promise<void> => {
    await nextTurn()
    try {
      await inLine(() => withinTime(work()))
    } catch (error) {
      logger.warn({ err: error }, `${name} failed`)
    }
  }
  const drain = async (signal: AbortSignal): Promise<void> => {
    const aborted = new Promise<'aborted'>((resolve) => {
      if (signal.aborted) resolve('aborted')
      signal.addEventListener('abort', () => resolve('aborted'), { once: true })
    })
    while (open.size > 0) if ((await Promise.race([Promise.all(open), aborted])) === 'aborted') return
  }

  return {
    run(name, work) {
      if (closed) {
        logger.warn(`${name} failed: the panel is stopped`)
        return
      }
      const done = perform(name, work).finally(() => open.delete(done))
      open.add(done)
    },
    drain,
    async close() {
      closed = true
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(), closeTimeoutMs)
      await drain(controller.signal)
      clearTimeout(timer)
    },
  }
}

/** By then the answer has been handed to the socket. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Gives up waiting after a time, so that one that never ends does not hold its place for ever. */
async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), workTimeoutMs)
    timer.unref()
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
