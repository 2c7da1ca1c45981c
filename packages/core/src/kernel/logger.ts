import { pino } from 'pino'
import { describeError } from './error-description.js'
import { defineService, type ServiceToken } from './service.js'

type LogMethod = {
  (fields: object, message?: string): void
  (message: string): void
}

/** Where the kernel and its plugins write their log. A pino instance is one; so is Fastify's `app.log`. */
export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  child(bindings: Record<string, unknown>): Logger
}

export const Logger: ServiceToken<Logger> = defineService<Logger>('core.logger')

export interface LoggerOptions {
  /** Least level that is written; default `info`. `silent` writes nothing. */
  readonly level?: string
  /** File descriptor: 1 (the default) for standard output, 2 for standard error. */
  readonly fd?: 1 | 2
  /** Gets each line in place of the file descriptor. */
  readonly destination?: { write(line: string): void }
}

const secretFields = ['authorization', 'cookie', 'password', 'token', 'secret', 'apiKey']

/**
 * A logger that writes JSON lines (pino). Fields that carry secrets by their name are masked, one level deep; of an
 * error in `err` only name, message, code, stack and causes are written: a failed query carries its parameters.
 */
export function createLogger({ level = 'info', fd = 1, destination }: LoggerOptions = {}): Logger {
  const paths = secretFields.flatMap((field) => [field, `*.${field}`])
  const serializers = { err: (value: unknown) => (value instanceof Error ? describeError(value) : value) }
  const options = { level, serializers, redact: { paths, censor: '[secret]' } }
  return pino(options, destination ?? pino.destination({ fd, sync: true }))
}
