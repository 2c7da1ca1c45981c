import type { Logger, Sql } from '@sallyport/core'
import { inChunks } from '../in-chunks.js'
import type { RelayView, ViewedAllocation } from './relay-view.js'

export type ServedStatus = 'open' | 'failed' | 'closed'

export interface Served {
  readonly id: number
  readonly deviceId: string
  readonly status: ServedStatus | 'removed'
}

/** Writes down what a relay made of its allocations, for instances that do not steer it. */
export interface RelayStatusWriter {
  /** Writes what is different, of these or of all. Gives what was written. */
  write(ids?: Iterable<number>): Promise<Served[]>
  /** Writes it soon, with others. */
  mark(id: number): void
  stop(): Promise<void>
}

interface RelayStatusOptions {
  readonly sql: Sql
  readonly relayId: string
  readonly view: RelayView
  readonly logger: Logger
  /** While tunnels are switched off everything is closed, and stays in the database as it was. */
  readonly enabled: () => boolean
  /** What was written after a `mark`. */
  readonly onWritten: (served: readonly Served[]) => void
}

interface Write {
  readonly id: number
  readonly status: ServedStatus
  readonly error: string | null
  readonly version: string
}

/** Rows written by one statement. */
const batchSize = 1_000
const gatherMs = 200
/** A row that somebody else holds is tried again with the next; the sweep heals what remains. */
const maxTries = 5

export function createRelayStatusWriter(options: RelayStatusOptions): RelayStatusWriter {
  const { sql, relayId, view, logger, enabled, onWritten } = options
  /** Marked ones, with how often they were tried. */
  const marked = new Map<number, number>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let stopped = false

  const writeBatch = async (batch: readonly Write[]): Promise<Served[]> => {
    // A version that is not there any more: a change that the relay does not have yet must not look served. Rows that others
    // hold are passed over: many locked in no certain order would be a deadlock with whoever removes several.
    const rows = await sql<{ id: number | string }>(
      `WITH w AS (
         SELECT w.* FROM jsonb_to_recordset($1::jsonb) AS w (id bigint, status text, error text, version text)
         JOIN tunnel_allocations a ON a.id = w.id AND a.relay_id = $2 AND a.updated_at = w.version::timestamptz
         FOR UPDATE OF a SKIP LOCKED)
       UPDATE tunnel_allocations a SET relay_status = w.status, relay_error = w.error
       FROM w WHERE a.id = w.id RETURNING a.id`,
      [JSON.stringify(batch), relayId],
    )
    const done = new Set(rows.map(({ id }) => Number(id)))
    return batch.flatMap(({ id, status, error }) => {
      const viewed = view.get(id)
      if (!done.has(id) || !viewed) {
        if (viewed) remember(id)
        return []
      }
      view.stored(id, status, error)
      marked.delete(id)
      return [{ id, deviceId: viewed.allocation.deviceId, status }]
    })
  }

  const write = async (ids?: Iterable<number>): Promise<Served[]> => {
    if (!enabled()) return []
    const due: Write[] = []
    for (const viewed of ids ? pick(view, ids) : view.all()) {
      const now = statusOf(viewed)
      if (now && (now.status !== viewed.status || now.error !== viewed.error)) {
        due.push({ id: viewed.allocation.id, version: viewed.version, ...now })
      } else marked.delete(viewed.allocation.id)
    }
    const served: Served[] = []
    for (const batch of inChunks(due, batchSize)) served.push(...(await writeBatch(batch)))
    return served
  }

  const remember = (id: number): void => {
    const tries = (marked.get(id) ?? 0) + 1
    if (tries > maxTries) marked.delete(id)
    else {
      marked.set(id, tries)
      schedule()
    }
  }

  const schedule = (): void => {
    if (stopped || timer || running) return
    timer = setTimeout(() => {
      timer = undefined
      const ids = [...marked.keys()]
      for (const id of ids) if (!view.get(id)) marked.delete(id)
      running = write(ids)
        .then(onWritten)
        .catch((error: unknown) =>
          logger.warn({ err: error, relayId }, 'the status of allocations could not be written'),
        )
        .finally(() => {
          running = undefined
          if (marked.size > 0) schedule()
        })
    }, gatherMs)
    timer.unref()
  }

  return {
    write,
    mark(id) {
      marked.set(id, 0)
      schedule()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** What the database is to say; undefined while the relay has said nothing yet. */
function statusOf(viewed: ViewedAllocation): Pick<Write, 'status' | 'error'> | undefined {
  if (viewed.allocation.paused === true) return { status: 'closed', error: null }
  if (viewed.condition === 'listening') return { status: 'open', error: null }
  return viewed.condition === 'failed' ? { status: 'failed', error: viewed.conditionError } : undefined
}

function* pick(view: RelayView, ids: Iterable<number>): Generator<ViewedAllocation> {
  for (const id of ids) {
    const viewed = view.get(id)
    if (viewed) yield viewed
  }
}
