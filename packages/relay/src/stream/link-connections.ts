import type { DataConnection } from './data-connection.js'

/** In the time that one may be silent. */
const SWEEPS = 8
const SWEEPS_PER_PING = 4

/** What was heard of an orphan up to the last sweep. */
interface Hearing {
  bytes: number
  silentSweeps: number
}

/**
 * The data connections of one link. TCP takes a quarter of an hour to notice a network that swallows what is sent, and a link seconds. So
 * when the link is gone, however that came, those that still serve a player are orphans: both sides ping them, and one of which nothing is
 * heard for the time given is closed. Silence counts only while it is read: who does not read, since a slow player holds him back, cannot
 * tell; but the other side can, which reads what the slow one has to say.
 */
export class LinkConnections {
  readonly #orphanTimeoutMs: number
  readonly #all: Set<DataConnection> = new Set()
  #orphans: Map<DataConnection, Hearing> | undefined
  #timer: NodeJS.Timeout | undefined
  #sweeps = 0

  constructor(orphanTimeoutMs: number) {
    this.#orphanTimeoutMs = orphanTimeoutMs
  }

  [Symbol.iterator](): IterableIterator<DataConnection> {
    return this.#all.values()
  }

  add(connection: DataConnection): void {
    this.#all.add(connection)
    if (this.#orphans !== undefined) this.#adopt(connection)
  }

  /** It is closed. */
  delete(connection: DataConnection): void {
    this.#all.delete(connection)
    this.#orphans?.delete(connection)
    if (this.#orphans?.size !== 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** The link is gone. */
  orphan(): void {
    if (this.#orphans !== undefined) return
    this.#orphans = new Map()
    for (const connection of this.#all) this.#adopt(connection)
  }

  #adopt(connection: DataConnection): void {
    this.#orphans?.set(connection, { bytes: connection.bytesRead, silentSweeps: 0 })
    connection.ping()
    this.#timer ??= setInterval(() => this.#sweep(), this.#orphanTimeoutMs / SWEEPS)
  }

  #sweep(): void {
    this.#sweeps += 1
    for (const [connection, hearing] of this.#orphans ?? []) {
      const { bytesRead, held } = connection
      hearing.silentSweeps = held || bytesRead !== hearing.bytes ? 0 : hearing.silentSweeps + 1
      hearing.bytes = bytesRead
      if (hearing.silentSweeps > SWEEPS) connection.close()
      else if (this.#sweeps % SWEEPS_PER_PING === 0) connection.ping()
    }
  }
}
