import type { Readable, Writable } from 'node:stream'
import type { Output } from './terminal/output.js'

export type TerminalStream = Writable & { isTTY?: boolean; columns?: number; rows?: number }

/** Everything a command may touch of its process. */
export interface CliContext {
  env: Readonly<Record<string, string | undefined>>
  stdin: Readable & { isTTY?: boolean; setRawMode?(mode: boolean): unknown }
  stdout: TerminalStream
  stderr: TerminalStream
  /** Aborts on SIGINT and SIGTERM. */
  signal: AbortSignal
  output: Output
  /** `--config`, or the default. */
  configPath: string
}
