import type { Sql } from '@sallyport/core'
import type { AllocationTraffic } from '@sallyport/relay'
import type { Traffic } from '../allocations/allocation.js'

/** Joins the running totals of this instance's relay to those in the database, so that totals survive restarts. */
export interface TrafficCounter {
  /** Begins with what the database has, once for each allocation; forgets those that are gone. */
  track(stored: ReadonlyMap<number, Traffic>): void
  /** Looks at the relay. */
  observe(): void
  /** As last observed. */
  of(id: number): Traffic | undefined
  /** All that passed here since the start, as last observed, with that of allocations that are gone: it never shrinks. */
  passed(): Traffic
  /** Adds what passed since the last flush to the database. What a failed one had is kept for the next. */
  flush(): Promise<void>
}

interface Counter {
  total: Traffic
  /** The relay's running totals when last looked at. */
  seen: Traffic
  /** Not yet in the database. */
  due: Traffic
}

const nothing: Traffic = Object.freeze({ bytesIn: 0, bytesOut: 0, connections: 0, open: 0 })
/** Rows written by one statement. */
const batchSize = 1_000

/** @param read the relay's running totals, which begin anew when the relay does */
export function createTrafficCounter(sql: Sql, read: () => readonly AllocationTraffic[]): TrafficCounter {
  const counters = new Map<number, Counter>()
  let all = nothing

  const observe = (): void => {
    for (const now of read()) {
      const counter = counters.get(now.allocationId)
      if (!counter) continue
      const passed = growth(counter.seen, now)
      counter.total = { ...add(counter.total, passed), open: now.open }
      counter.due = add(counter.due, passed)
      all = add(all, passed)
      counter.seen = { ...now }
    }
  }

  const write = async (batch: readonly (readonly [number, Traffic])[]): Promise<void> => {
    const rows = batch.map(([id, { bytesIn, bytesOut, connections }]) => ({
      id,
      i: bytesIn,
      o: bytesOut,
      c: connections,
    }))
    // What somebody else changes or deletes now waits for the next flush: many rows locked in no certain order would be
    // a deadlock with whoever removes several of them.
    const written = await sql<{ id: number | string }>(
      `WITH t AS (
         SELECT t.*
         FROM jsonb_to_recordset($1::jsonb) AS t (id bigint, i bigint, o bigint, c bigint)
         JOIN tunnel_allocations a ON a.id = t.id
         FOR UPDATE OF a SKIP LOCKED)
       UPDATE tunnel_allocations a SET
         bytes_in = a.bytes_in + t.i, bytes_out = a.bytes_out + t.o, connections = a.connections + t.c
       FROM t WHERE a.id = t.id RETURNING a.id`,
      [JSON.stringify(rows)],
    )
    const done = new Set(written.map(({ id }) => Number(id)))
    for (const [id, due] of batch) {
      const counter = counters.get(id)
      if (counter && done.has(id)) counter.due = growth(due, counter.due)
    }
  }

  return {
    track(stored) {
      observe()
      for (const id of counters.keys()) if (!stored.has(id)) counters.delete(id)
      for (const [id, total] of stored) {
        if (!counters.has(id)) counters.set(id, { total: { ...total, open: 0 }, seen: nothing, due: nothing })
      }
    },
    observe,
    of: (id) => counters.get(id)?.total,
    passed: () => ({ ...all, open: [...counters.values()].reduce((open, { total }) => open + total.open, 0) }),
    async flush() {
      observe()
      const due = [...counters]
        .filter(([, counter]) => counter.due.bytesIn + counter.due.bytesOut + counter.due.connections > 0)
        .map(([id, counter]) => [id, counter.due] as const)
      for (let at = 0; at < due.length; at += batchSize) await write(due.slice(at, at + batchSize))
    },
  }
}

/** What came since `before`; all of it when the count began anew. */
function growth(before: Traffic, now: Traffic): Traffic {
  const since = (a: number, b: number): number => (b >= a ? b - a : b)
  return {
    bytesIn: since(before.bytesIn, now.bytesIn),
    bytesOut: since(before.bytesOut, now.bytesOut),
    connections: since(before.connections, now.connections),
    open: now.open,
  }
}

function add(a: Traffic, b: Traffic): Traffic {
  return {
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
    connections: a.connections + b.connections,
    open: a.open,
  }
}
