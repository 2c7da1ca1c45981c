import { fsync, fsyncSync } from 'node:fs'
import { promisify } from 'node:util'
import type { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/** What of Emscripten's file streams is used here. */
interface Stream {
  /** File descriptor in this process. */
  readonly nfd: number
  readonly path?: string
}

interface StreamOperations {
  fsync?: (stream: Stream) => number
  write(stream: Stream, ...rest: unknown[]): number
}

interface Engine {
  readonly NODEFS: { readonly stream_ops: StreamOperations }
}

const fsyncLater = promisify(fsync)
const isLog = (stream: Stream): boolean => stream.path?.includes('/pg_wal/') === true

/**
 * The database's files, such that what is committed survives a loss of power: PGlite's own make nothing of fsync. The
 * log is written out off the event loop, before the answer is given; everything else, which is rare, at once.
 */
export class DurableFiles extends NodeFS {
  /** Files of the log that Postgres takes for written out and that are not yet. */
  readonly #pending = new Set<number>()
  #deferring = false

  override async init(...[database, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const result = await super.init(database, options)
    const hook = (engine: unknown): void => this.#attach((engine as Engine).NODEFS.stream_ops)
    const { emscriptenOpts } = result
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), hook] } }
  }

  /** Runs queries and resolves when what they committed is on the disk. */
  async durably(database: PGlite, message: Uint8Array, onRawData: (data: Uint8Array) => void): Promise<void> {
    this.#deferring = true
    try {
      // Everything but its end happens before it returns.
      const done = database.execProtocolRawStream(message, { onRawData })
      this.#deferring = false
      await done
    } finally {
      this.#deferring = false
      await this.#flush()
    }
  }

  #attach(operations: StreamOperations): void {
    const write = operations.write.bind(operations)
    operations.fsync = (stream) => {
      if (this.#deferring && isLog(stream)) this.#pending.add(stream.nfd)
      else fsyncSync(stream.nfd)
      return 0
    }
    operations.write = (stream, ...rest) => {
      // Nothing reaches a table before the log that says so is on the disk.
      if (this.#pending.size > 0 && !isLog(stream)) this.#flushNow()
      return write(stream, ...rest)
    }
  }

  #flushNow(): void {
    for (const file of this.#pending) fsyncSync(file)
    this.#pending.clear()
  }

  async #flush(): Promise<void> {
    const files = [...this.#pending]
    this.#pending.clear()
    for (const file of files) await fsyncLater(file)
  }
}
