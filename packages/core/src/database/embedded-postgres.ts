import type { Duplex } from 'node:stream'
import { defaultDataDir } from './data-dir.js'
import { openEmbedded } from './embedded.js'
import { EmbeddedStream } from './embedded-stream.js'
import { createTurns } from './embedded-turns.js'

export interface EmbeddedPostgresOptions {
  /** Where its files are; `memory://` for none, everything is gone at the end. Default `./.data`. */
  readonly dataDir?: string
}

/** A Postgres inside this process that whoever opened it closes. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** For a pool of `pg`'s: `new pg.Pool(postgres.connection)`. */
  readonly connection: { readonly user: string; readonly database: string; readonly stream: () => Duplex }
  /** Once all pools have ended. */
  close(): Promise<void>
}

/**
 * Opens a Postgres in this process, for a host that shares one with its kernel and has no server, as in development and in
 * tests: `database({ connectLike: pool })`. It has one session: its connections take turns, a transaction is a turn, and
 * what a connection sets for its session all have.
 * @throws `CORE_ERR_DATA_DIR_UNUSABLE`, `CORE_ERR_DATA_DIR_LOCKED`, `CORE_ERR_DATABASE_CORRUPT`
 */
export async function embeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const { dataDir = defaultDataDir } = options
  const { database, files, close } = await openEmbedded(dataDir, new AbortController().signal)
  const turns = createTurns()
  let closing: Promise<void> | undefined
  const closeOnce = (): Promise<void> => {
    closing ??= close()
    return closing
  }
  return {
    connection: { user: 'postgres', database: 'postgres', stream: () => new EmbeddedStream(database, files, turns) },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  }
}
