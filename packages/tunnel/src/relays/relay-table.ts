import type { Sql } from '@sallyport/core'
import { type RelayRow, readRelays } from './relay-row.js'

/** The relays, read from the database at most once a second however many ask. */
export interface RelayTable {
  read(): Promise<ReadonlyMap<string, RelayRow>>
  /** The next to ask gets what is there then. */
  forget(): void
}

/** Oldest that an answer may be. */
const freshMs = 1_000

export function createRelayTable(sql: Sql): RelayTable {
  let current: { readonly rows: Promise<ReadonlyMap<string, RelayRow>>; readonly until: number } | undefined

  return {
    read() {
      if (current && current.until > performance.now()) return current.rows
      const rows = readRelays(sql).then((all) => new Map(all.map((row) => [row.id, row])))
      const mine = { rows, until: performance.now() + freshMs }
      current = mine
      rows.catch(() => {
        if (current === mine) current = undefined
      })
      return rows
    },
    forget() {
      current = undefined
    },
  }
}
