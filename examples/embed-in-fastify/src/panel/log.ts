import { type Logger, pino } from 'pino'

/** The panel's log. */
export const log: Logger = pino({ level: 'warn' })
