import { type EventFrame, eventFrame } from '@sallyport/core'
import { type AllocationRow, storedTraffic, type Traffic } from '../allocations/allocation.js'
import type { CountedRow, LiveTraffic } from '../traffic/running-totals.js'
import type { AllocationTrafficNow } from './live-events.js'

/** The numbers of a list of allocations, second by second. */
export interface TrafficNumbers {
  /** The list was read anew. */
  accept(rows: readonly AllocationRow[], shown: readonly { readonly id: number; readonly traffic: Traffic }[]): void
  /** Looks at them again. Gives the ids of those that are others than before. */
  look(live: (row: CountedRow) => LiveTraffic | undefined): ReadonlySet<number>
  /** Those that the last look found, made once for all who are told. */
  changes(): EventFrame | undefined
  /** Those of these ids that are there. */
  some(ids: Iterable<number>): EventFrame | undefined
  /** Ids of those where something goes on. */
  busy(): number[]
  readonly relayIds: ReadonlySet<string>
}

interface Entry {
  readonly row: CountedRow
  now: LiveTraffic
}

const still = { bytesInPerSecond: 0, bytesOutPerSecond: 0 }

export function createTrafficNumbers(): TrafficNumbers {
  let entries = new Map<number, Entry>()
  let relayIds: ReadonlySet<string> = new Set()
  let changed: ReadonlySet<number> = new Set()
  let changes: EventFrame | undefined

  const some: TrafficNumbers['some'] = (ids) => {
    const items: AllocationTrafficNow[] = []
    for (const id of ids) {
      const entry = entries.get(id)
      if (entry) items.push({ id, ...entry.now })
    }
    return items.length === 0 ? undefined : eventFrame('traffic', JSON.stringify({ items }))
  }

  return {
    accept(rows, shown) {
      const told = new Map(shown.map(({ id, traffic }) => [id, traffic]))
      const next = new Map<number, Entry>()
      for (const row of rows) {
        const id = Number(row.id)
        const now = entries.get(id)?.now ?? { ...(told.get(id) ?? storedTraffic(row)), ...still }
        next.set(id, { row: slim(row), now })
      }
      entries = next
      relayIds = new Set(rows.map(({ relay_id }) => relay_id))
    },
    look(live) {
      const others = new Set<number>()
      for (const [id, entry] of entries) {
        const now = live(entry.row) ?? { ...storedTraffic(entry.row), ...still }
        if (isSame(entry.now, now)) continue
        entry.now = now
        others.add(id)
      }
      changed = others
      changes = undefined
      return others
    },
    changes() {
      changes ??= some(changed)
      return changes
    },
    some,
    busy: () =>
      [...entries].flatMap(([id, { now }]) =>
        now.open + now.bytesInPerSecond + now.bytesOutPerSecond > 0 ? [id] : [],
      ),
    get relayIds() {
      return relayIds
    },
  }
}

function isSame(a: LiveTraffic, b: LiveTraffic): boolean {
  return (
    a.bytesIn === b.bytesIn &&
    a.bytesOut === b.bytesOut &&
    a.connections === b.connections &&
    a.open === b.open &&
    a.bytesInPerSecond === b.bytesInPerSecond &&
    a.bytesOutPerSecond === b.bytesOutPerSecond
  )
}

function slim(row: AllocationRow): CountedRow {
  const { id, relay_id, bytes_in, bytes_out, connections } = row
  const { counted_epoch, counted_before, counted_in, counted_out, counted_connections } = row
  const counted = { counted_epoch, counted_before, counted_in, counted_out, counted_connections }
  return { id, relay_id, bytes_in, bytes_out, connections, ...counted }
}
