import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import type { DurableFiles } from './embedded-files.js'
import type { EmbeddedTurns } from './embedded-turns.js'

type Callback = (error?: Error | null) => void

/** First byte of Postgres's message Terminate. */
const terminate = 'X'.charCodeAt(0)

/** What the driver `pg` takes for its socket; the bytes go to the database in this process and back. */
export class EmbeddedStream extends Duplex {
  readonly #database: PGlite
  readonly #files: DurableFiles | undefined
  readonly #turns: EmbeddedTurns
  /** What the database has been given last. */
  #working: Promise<void> = Promise.resolve()

  /**
   * @param files those of the database; `undefined` when it is in memory
   * @param turns shared by all connections to the database
   */
  constructor(database: PGlite, files: DurableFiles | undefined, turns: EmbeddedTurns) {
    super()
    this.#database = database
    this.#files = files
    this.#turns = turns
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'))
    return this
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    void this.#execute(chunk).then(() => callback(), callback)
  }

  /** Takes the messages of one query together, as `pg` corked them. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    void this.#execute(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => callback(), callback)
  }

  override _read(): void {}

  override _final(callback: Callback): void {
    this.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#leave()
      .finally(() => this.#turns.give(this))
      .then(
        () => callback(error),
        (failure: Error) => callback(error ?? failure),
      )
  }

  /** The session outlives its connections, so a transaction left open must not be met by the next one. */
  async #leave(): Promise<void> {
    // Who goes away under a query may have begun one with it.
    await this.#working.catch(() => undefined)
    const open = this.#turns.has(this) && this.#database.ready && this.#database.isInTransaction()
    if (open) await this.#database.exec('ROLLBACK')
  }

  async #execute(message: Buffer): Promise<void> {
    if (message[0] === terminate) return
    await this.#turns.take(this)
    if (this.destroyed) return
    try {
      this.#working = this.#answer(message)
      await this.#working
    } finally {
      const stays = this.#database.ready && this.#database.isInTransaction()
      // Who has gone away gives it up after the roll-back.
      if (!stays && !this.destroyed) this.#turns.give(this)
    }
  }

  async #answer(message: Buffer): Promise<void> {
    if (!this.#database.ready) throw new Error('The embedded database is closed')
    const answer: Buffer[] = []
    const onRawData = (bytes: Uint8Array): void => void answer.push(Buffer.from(bytes))
    // Not `execProtocolRaw`: without a receiver of its own it keeps every answer for ever.
    if (this.#files) await this.#files.durably(this.#database, message, onRawData)
    else await this.#database.execProtocolRawStream(message, { onRawData })
    if (answer.length > 0) this.push(Buffer.concat(answer))
  }

  // What `pg` calls on a socket and has no meaning here.
  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}
