import type { Readable, Writable } from 'node:stream'
import type { Output } from './output.js'

/** Everything a command may touch of its process. */
export interface CliContext {
  env: Readonly<Record<string, string | undefined>>
  stdin: Readable & { isTTY?: boolean; setRawMode?(mode: boolean): unknown }
  stderr: Writable & { isTTY?: boolean }
  /** Aborts on SIGINT and SIGTERM. */
  signal: AbortSignal
  output: Output
  /** `--config`, or the default. */
  configPath: string
}
