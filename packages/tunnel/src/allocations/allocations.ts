import { coreErrors, type Principal, type Sql } from '@sallyport/core'
import { mayRead, reachCondition, reaches, reachOf } from '../access.js'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { ChangeFeed } from '../change-feed.js'
import { tunnelErrors } from '../errors.js'
import { parseAllocationId } from '../ids.js'
import type { OtherInstances } from '../other-instances.js'
import { type Allocation, type AllocationRow, ownershipOf, selectAllocations } from './allocation.js'
import { removeAndHold } from './held-ports.js'
import { checkLocalHost } from './local-host.js'
import { checkOptionsChange, type OptionsChange } from './options.js'
import type { Presenter } from './presenter.js'

export interface AllocationChange {
  readonly localHost?: string
  readonly localPort?: number
  /** Null takes the name away. */
  readonly name?: string | null
  /** Merged into those in force; null lifts all. */
  readonly options?: OptionsChange | null
}

type By = Caller & { principal: Principal }

/**
 * What is done with allocations once they are made. Every change has reached the relay when it resolves, or the instance that
 * steers it has been told.
 */
export interface Allocations {
  /** @throws 404 when it isn't there or isn't the principal's to see, 403 when it may be seen but not changed */
  find(id: string, principal: Principal, access: 'read' | 'write'): Promise<AllocationRow>
  list(principal: Principal): Promise<Allocation[]>
  /** The same, to be presented. */
  rows(principal: Principal): Promise<AllocationRow[]>
  /** New connections go to the new target. */
  change(id: string, change: AllocationChange, by: By): Promise<Allocation>
  /** Pauses: the port is kept but takes nobody, players are cut. */
  close(id: string, by: By): Promise<Allocation>
  open(id: string, by: By): Promise<Allocation>
  /** Players are cut. The port is kept for the device for a while. */
  remove(id: string, by: By): Promise<void>
}

interface AllocationsOptions {
  readonly sql: Sql
  readonly present: Presenter
  readonly feed: ChangeFeed
  readonly otherInstances: OtherInstances
  readonly audit: AuditTrail
  /** How long the port of one that was removed is kept for its device. */
  readonly heldPortSeconds: number
  /** Resolves when relays steered elsewhere have followed, or will not in time. Never rejects. */
  readonly waitServed: (ids: readonly number[]) => Promise<void>
}

export function createAllocations(options: AllocationsOptions): Allocations {
  const { sql, present, feed, otherInstances, audit, heldPortSeconds, waitServed } = options

  /** @throws 404 when it isn't there or isn't the principal's to see, 403 when it may be seen but not changed */
  const find = async (
    text: string,
    principal: Principal,
    access: 'read' | 'write' = 'write',
  ): Promise<AllocationRow> => {
    const id = parseAllocationId(text)
    const reach = reachOf(principal, access)
    const [row] = id === undefined ? [] : await sql<AllocationRow>(`${selectAllocations} WHERE a.id = $1`, [id])
    if (!row) throw tunnelErrors.ALLOCATION_UNKNOWN()
    if (reaches(reach, ownershipOf(row))) return row
    if (access === 'write' && mayRead(principal, ownershipOf(row))) throw coreErrors.FORBIDDEN()
    throw tunnelErrors.ALLOCATION_UNKNOWN()
  }

  const show = async (row: AllocationRow): Promise<Allocation> => (await present([row]))[0] as Allocation

  /** Finds it for a change that its relay and its agent will hear of. */
  const findToChange = async (id: string, by: By): Promise<AllocationRow> => {
    const row = await find(id, by.principal, 'write')
    await otherInstances.assertNotNeeded(row.device_id, row.relay_id)
    return row
  }

  /** Tells of a change, and waits until the relay has it. */
  const serve = async (row: AllocationRow): Promise<void> => {
    // A relay that is gone says nothing.
    const served = row.relay_online ? waitServed([Number(row.id)]) : undefined
    await feed.announce([row.device_id], [row.relay_id])
    await served
  }

  const update = async (row: AllocationRow, change: AllocationChange & { paused?: boolean }): Promise<Allocation> => {
    const options = change.options && checkOptionsChange(change.options, row.protocol)
    const updated = await sql<{ id: number }>(
      `UPDATE tunnel_allocations SET
         local_host = COALESCE($2::text, local_host),
         local_port = COALESCE($3::integer, local_port),
         name = CASE WHEN $4::boolean THEN $5::text ELSE name END,
         paused = COALESCE($6::boolean, paused),
         options = CASE WHEN $7::boolean THEN '{}'::jsonb ELSE jsonb_strip_nulls(options || $8::jsonb) END,
         target_error = CASE WHEN $2::text IS NULL AND $3::integer IS NULL THEN target_error END,
         relay_status = NULL, relay_error = NULL, updated_at = now()
       WHERE id = $1 RETURNING id`,
      [
        Number(row.id),
        change.localHost ?? null,
        change.localPort ?? null,
        change.name !== undefined,
        change.name ?? null,
        change.paused ?? null,
        change.options === null,
        JSON.stringify(options ?? {}),
      ],
    )
    if (updated.length === 0) throw tunnelErrors.ALLOCATION_UNKNOWN()
    await serve(row)
    const [after] = await sql<AllocationRow>(`${selectAllocations} WHERE a.id = $1`, [Number(row.id)])
    if (!after) throw tunnelErrors.ALLOCATION_UNKNOWN()
    return show(after)
  }

  const rows: Allocations['rows'] = async (principal) => {
    const reach = reachCondition(reachOf(principal, 'read'))
    return sql<AllocationRow>(`${selectAllocations} WHERE ${reach.text} ORDER BY a.id`, reach.values)
  }

  return {
    find,

    rows,
    list: async (principal) => present(await rows(principal)),

    async change(id, change, by) {
      const row = await findToChange(id, by)
      if (change.localHost !== undefined) checkLocalHost(change.localHost)
      const allocation = await update(row, change)
      await audit.allocation('changed', allocation.id, by, { ...about(allocation), ...change })
      return allocation
    },

    async close(id, by) {
      const allocation = await update(await findToChange(id, by), { paused: true })
      await audit.allocation('closed', allocation.id, by, about(allocation))
      return allocation
    },

    async open(id, by) {
      const allocation = await update(await findToChange(id, by), { paused: false })
      await audit.allocation('opened', allocation.id, by, about(allocation))
      return allocation
    },

    async remove(id, by) {
      const row = await findToChange(id, by)
      if (!(await removeAndHold(sql, Number(row.id), heldPortSeconds))) throw tunnelErrors.ALLOCATION_UNKNOWN()
      await serve(row)
      const { device_id: deviceId, protocol, port } = row
      await audit.allocation('deleted', Number(row.id), by, { deviceId, protocol, port })
    },
  }
}

function about({ deviceId, protocol, port }: Allocation): Readonly<Record<string, unknown>> {
  return { deviceId, protocol, port }
}
