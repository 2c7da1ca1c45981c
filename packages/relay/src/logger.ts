type LogMethod = (obj: Record<string, unknown>, msg: string) => void

/** The part of pino's interface that this package uses. */
export interface Logger {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}

const ignore: LogMethod = () => {}

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
