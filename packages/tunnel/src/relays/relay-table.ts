import type { Sql } from '@sallyport/core'
import { type RelayRow, readRelays } from './relay-row.js'

/** The relays, read from the database a few times a second at most however many ask. */
export interface RelayTable {
  /** @param maxAgeMs oldest that the answer may be */
  read(maxAgeMs?: number): Promise<ReadonlyMap<string, RelayRow>>
  /** The next to ask gets what is there then. */
  forget(): void
}

const defaultMaxAgeMs = 1_000

export function createRelayTable(sql: Sql): RelayTable {
  let current: { readonly rows: Promise<ReadonlyMap<string, RelayRow>>; readonly since: number } | undefined

  return {
    read(maxAgeMs = defaultMaxAgeMs) {
      if (current && performance.now() - current.since < maxAgeMs) return current.rows
      const rows = readRelays(sql).then((all) => new Map(all.map((row) => [row.id, row])))
      const mine = { rows, since: performance.now() }
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
