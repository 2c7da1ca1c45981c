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
  close(stream: Stream): void
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
  /** Why a file could not be written out. Postgres counts on what was not, so from then on nothing is done for anyone. */
  #failure: { readonly error: unknown } | undefined

  override async init(...[database, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const result = await super.init(database, options)
    const hook = (engine: unknown): void => this.#attach((engine as Engine).NODEFS.stream_ops)
    const { emscriptenOpts } = result
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), hook] } }
  }

  /** Runs queries and resolves when what they committed is on the disk. Rejects for good once the disk has failed. */
  async durably(database: PGlite, message: Uint8Array, onRawData: (data: Uint8Array) => void): Promise<void> {
    if (this.#failure) throw this.#failure.error
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

  /** Whether nothing may be written any more: the disk failed, or the files are another process's now. */
  get failed(): boolean {
    return this.#failure !== undefined
  }

  /** From now on `durably` rejects with `error`. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  #attach(operations: StreamOperations): void {
    const write = operations.write.bind(operations)
    const close = operations.close.bind(operations)
    operations.fsync = (stream) => {
      if (this.#deferring && isLog(stream)) this.#pending.add(stream.nfd)
      else this.#writeOut(stream.nfd)
      return 0
    }
    operations.write = (stream, ...rest) => {
      // Nothing reaches a table before the log that says so is on the disk.
      if (this.#pending.size > 0 && !isLog(stream)) this.#flushNow()
      return write(stream, ...rest)
    }
    operations.close = (stream) => {
      // The next piece of the log may be given the same number.
      if (this.#pending.delete(stream.nfd)) this.#writeOut(stream.nfd)
      close(stream)
    }
  }

  #flushNow(): void {
    for (const file of this.#pending) this.#writeOut(file)
    this.#pending.clear()
  }

  #writeOut(file: number): void {
    try {
      fsyncSync(file)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  async #flush(): Promise<void> {
    const files = [...this.#pending]
    this.#pending.clear()
    try {
      for (const file of files) await fsyncLater(file)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }
}
