import { coreErrors, type Principal, type Sql } from '@sallyport/core'
import { reachCondition, reaches, reachOf } from '../access.js'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { ChangeFeed } from '../change-feed.js'
import { tunnelErrors } from '../errors.js'
import { parseAllocationId } from '../ids.js'
import {
  type Allocation,
  type AllocationRow,
  type LiveAllocations,
  ownershipOf,
  selectAllocations,
  toAllocation,
} from './allocation.js'
import { checkLocalHost } from './local-host.js'

export interface AllocationChange {
  readonly localHost?: string
  readonly localPort?: number
  /** Null takes the name away. */
  readonly name?: string | null
}

type By = Caller & { principal: Principal }

/** What is done with allocations once they are made. Every change has reached this instance's relay when it resolves. */
export interface Allocations {
  list(principal: Principal): Promise<Allocation[]>
  /** New connections go to the new target. */
  change(id: string, change: AllocationChange, by: By): Promise<Allocation>
  /** Pauses: the port is kept but takes nobody, players are cut. */
  close(id: string, by: By): Promise<Allocation>
  open(id: string, by: By): Promise<Allocation>
  /** The port is free at once, players are cut. */
  remove(id: string, by: By): Promise<void>
}

interface AllocationsOptions {
  readonly sql: Sql
  readonly snapshot: () => LiveAllocations
  readonly feed: ChangeFeed
  readonly audit: AuditTrail
}

export function createAllocations({ sql, snapshot, feed, audit }: AllocationsOptions): Allocations {
  /** @throws 404 when it isn't there or isn't the principal's to see, 403 when it may be seen but not changed */
  const find = async (text: string, principal: Principal): Promise<AllocationRow> => {
    const id = parseAllocationId(text)
    const reach = reachOf(principal, 'write')
    const [row] = id === undefined ? [] : await sql<AllocationRow>(`${selectAllocations} WHERE a.id = $1`, [id])
    if (!row) throw tunnelErrors.ALLOCATION_UNKNOWN()
    if (reaches(reach, ownershipOf(row))) return row
    if (reaches(reachOf(principal, 'read'), ownershipOf(row))) throw coreErrors.FORBIDDEN()
    throw tunnelErrors.ALLOCATION_UNKNOWN()
  }

  const update = async (row: AllocationRow, change: AllocationChange & { paused?: boolean }): Promise<Allocation> => {
    const updated = await sql<{ id: number }>(
      `UPDATE tunnel_allocations SET
         local_host = COALESCE($2::text, local_host),
         local_port = COALESCE($3::integer, local_port),
         name = CASE WHEN $4::boolean THEN $5::text ELSE name END,
         paused = COALESCE($6::boolean, paused),
         updated_at = now()
       WHERE id = $1 RETURNING id`,
      [
        Number(row.id),
        change.localHost ?? null,
        change.localPort ?? null,
        change.name !== undefined,
        change.name ?? null,
        change.paused ?? null,
      ],
    )
    if (updated.length === 0) throw tunnelErrors.ALLOCATION_UNKNOWN()
    await feed.announce([row.device_id])
    const [after] = await sql<AllocationRow>(`${selectAllocations} WHERE a.id = $1`, [Number(row.id)])
    if (!after) throw tunnelErrors.ALLOCATION_UNKNOWN()
    return toAllocation(after, snapshot())
  }

  return {
    async list(principal) {
      const reach = reachCondition(reachOf(principal, 'read'))
      const rows = await sql<AllocationRow>(`${selectAllocations} WHERE ${reach.text} ORDER BY a.id`, reach.values)
      const live = snapshot()
      return rows.map((row) => toAllocation(row, live))
    },

    async change(id, change, by) {
      const row = await find(id, by.principal)
      if (change.localHost !== undefined) checkLocalHost(change.localHost)
      const allocation = await update(row, change)
      await audit.allocation('changed', allocation.id, by, { ...change })
      return allocation
    },

    async close(id, by) {
      const allocation = await update(await find(id, by.principal), { paused: true })
      await audit.allocation('closed', allocation.id, by)
      return allocation
    },

    async open(id, by) {
      const allocation = await update(await find(id, by.principal), { paused: false })
      await audit.allocation('opened', allocation.id, by)
      return allocation
    },

    async remove(id, by) {
      const row = await find(id, by.principal)
      const gone = await sql<{ id: number }>('DELETE FROM tunnel_allocations WHERE id = $1 RETURNING id', [
        Number(row.id),
      ])
      if (gone.length === 0) throw tunnelErrors.ALLOCATION_UNKNOWN()
      await feed.announce([row.device_id])
      await audit.allocation('deleted', Number(row.id), by, { protocol: row.protocol, port: row.port })
    },
  }
}
