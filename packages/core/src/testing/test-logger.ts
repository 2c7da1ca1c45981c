import { createLogger, type Logger } from '../kernel/logger.js'

/** One line of a log, as it would have been printed. */
export interface LogLine {
  /** pino's level: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number
  readonly msg?: string
  readonly [field: string]: unknown
}

/** A logger that prints nothing and keeps what it would have printed, to assert that no secret is in it. */
export interface TestLogger {
  readonly logger: Logger
  readonly lines: readonly LogLine[]
  /** All lines as printed. */
  readonly text: string
}

/** Makes a logger of the kernel's own making, masks and all, that records from `trace` up. */
export function createTestLogger(): TestLogger {
  const written: string[] = []
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void written.push(line) } })
  return {
    logger,
    get lines() {
      return written.map((line) => JSON.parse(line) as LogLine)
    },
    get text() {
      return written.join('')
    },
  }
}
