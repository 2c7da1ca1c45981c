import type { Disposer, Events, Logger, Sql } from '@sallyport/core'
import { allocationsServed } from '../events.js'
import { isAlive } from '../gateway/instance-lease.js'
import { inChunks } from '../in-chunks.js'
import { within } from '../within.js'
import type { Served } from './relay-status.js'

/** What relays made of changed allocations, told between the instance that steers them and the one that was asked. */
export interface ServedNews {
  /** Tells the other instances. Never rejects. */
  tell(served: readonly Served[]): Promise<void>
  /**
   * Waits until relays that other living instances steer have followed the last change of these allocations, or have given them
   * up; at most `timeoutMs`. Never rejects. Whatever is steered here has followed when `sync` resolves.
   */
  wait(allocationIds: readonly number[], timeoutMs?: number): Promise<void>
  listen(): Disposer
}

interface ServedNewsOptions {
  readonly sql: Sql
  readonly events: Events
  readonly logger: Logger
  readonly instanceId: string
  /** What another instance told. */
  readonly onTold: (served: readonly Served[]) => void
  /** Whether any relay is steered by another living instance. */
  readonly steeredElsewhere: () => Promise<boolean>
}

/** An event holds at most 64 KiB. */
const maxPerEvent = 400
const defaultTimeoutMs = 2_000
/** An event may be lost: the database is looked at this often. */
const lookMs = 250
/** How long it is remembered that a relay has given an allocation up. */
const rememberedMs = 5_000
const maxRemembered = 10_000

export function createServedNews(options: ServedNewsOptions): ServedNews {
  const { sql, events, logger, instanceId, onTold, steeredElsewhere } = options
  const waiting = new Set<(ids: ReadonlySet<number>) => void>()
  /** When allocations were told to be removed from their relay, oldest first. */
  const removed = new Map<number, number>()

  const remember = (ids: readonly number[]): void => {
    const now = performance.now()
    for (const id of ids) {
      removed.delete(id)
      removed.set(id, now)
    }
    for (const [id, at] of removed) {
      if (removed.size <= maxRemembered && now - at < rememberedMs) break
      removed.delete(id)
    }
  }

  /** Those that somebody else has not said to have followed. */
  const unserved = async (ids: readonly number[]): Promise<number[]> => {
    const rows = await sql<{ id: number | string; open: boolean }>(
      `SELECT a.id, a.relay_status IS NULL AND r.instance_id <> $2::uuid AND ${isAlive('r.instance_id')} AS open
       FROM tunnel_allocations a JOIN tunnel_relays r ON r.id = a.relay_id
       WHERE a.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))`,
      [JSON.stringify(ids), instanceId],
    )
    const there = new Map(rows.map(({ id, open }) => [Number(id), open]))
    return ids.filter((id) => there.get(id) ?? !removed.has(id))
  }

  return {
    async tell(served) {
      for (const some of inChunks(served, maxPerEvent)) {
        const allocations = some.map((one) => ({ ...one }))
        await events.emit(allocationsServed, { allocations }).catch((error: unknown) => {
          logger.warn({ err: error }, 'the other instances could not be told what relays serve')
        })
      }
    },

    async wait(allocationIds, timeoutMs = defaultTimeoutMs) {
      const end = performance.now() + timeoutMs
      let wake: (() => void) | undefined
      const listener = (ids: ReadonlySet<number>): void => {
        if (allocationIds.some((id) => ids.has(id))) wake?.()
      }
      waiting.add(listener)
      try {
        if (!(await steeredElsewhere())) return
        for (;;) {
          const told = new Promise<void>((resolve) => {
            wake = resolve
          })
          if ((await unserved(allocationIds)).length === 0) return
          const leftMs = end - performance.now()
          if (leftMs <= 0) return
          await within(Math.min(lookMs, leftMs), told)
        }
      } catch (error) {
        logger.warn({ err: error }, 'it is not known whether relays follow')
      } finally {
        waiting.delete(listener)
      }
    },

    listen: () =>
      events.on(allocationsServed, ({ allocations }, { remote }) => {
        const ids = new Set(allocations.map(({ id }) => id))
        remember(allocations.filter(({ status }) => status === 'removed').map(({ id }) => id))
        for (const listener of waiting) listener(ids)
        if (remote) onTold(allocations)
      }),
  }
}
