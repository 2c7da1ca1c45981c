import type { Database, Logger, Sql } from '@sallyport/core'
import type { AuditTrail } from '../audit-trail.js'
import { isAlive } from '../gateway/instance-lease.js'
import { inChunks } from '../in-chunks.js'
import { countAnew } from '../traffic/write-totals.js'
import { isGoneForGood } from './relay-row.js'

/** Moves what a lost relay served to another that serves the same public ports. */
export interface Failover {
  /** Looks, unless another instance does. To be called regularly. */
  run(): Promise<void>
}

/** What was moved from one relay to another. */
export interface Moved {
  readonly from: string
  readonly to: string
  readonly deviceIds: readonly string[]
}

interface FailoverOptions {
  readonly database: Database
  readonly sql: Sql
  readonly logger: Logger
  readonly audit: AuditTrail
  /** A relay that is gone for longer loses its allocations. */
  readonly graceMs: number
  /** How often `run` is called. */
  readonly intervalMs: number
  /** After the transaction. */
  readonly onMoved: (moved: readonly Moved[]) => Promise<void>
}

interface Lost {
  readonly id: string
  readonly host_group: string
  readonly organisation_id: string | null
  readonly gone_for_good: boolean
  readonly allocations: number
}

interface Haven {
  readonly id: string
  readonly host_group: string
  readonly organisation_id: string | null
  readonly port_from: number | null
  readonly port_to: number | null
  readonly capacity: number | null
  readonly allocations: number
}

interface MovedRow {
  readonly id: number | string
  readonly device_id: string
}

/** A longer pause between two looks: this process stood still, or the database was away, and so may have been everybody's lease. */
const gapIntervals = 3
/** Moved by one statement; what remains is moved by the next look. */
const maxMoves = 10_000
const auditedAtOnce = 20

const lostRelays = `
  SELECT r.id, r.host_group, d.organisation_id, ${isGoneForGood} AS gone_for_good, n.allocations
  FROM tunnel_relays r
  JOIN (SELECT relay_id, count(*)::integer AS allocations FROM tunnel_allocations GROUP BY relay_id) n ON n.relay_id = r.id
  LEFT JOIN tunnel_devices d ON d.id = r.device_id
  LEFT JOIN tunnel_instances i ON i.id = r.instance_id
  WHERE ${isGoneForGood} OR (NOT ${isAlive('r.instance_id')} AND
    GREATEST(r.last_seen_at, i.alive_until) < now() - make_interval(secs => $1))
  ORDER BY r.id`

const havens = `
  SELECT r.id, r.host_group, d.organisation_id, r.port_from, r.port_to, r.capacity, COALESCE(n.allocations, 0) AS allocations
  FROM tunnel_relays r
  LEFT JOIN (SELECT relay_id, count(*)::integer AS allocations FROM tunnel_allocations GROUP BY relay_id) n ON n.relay_id = r.id
  LEFT JOIN tunnel_devices d ON d.id = r.device_id
  WHERE ${isAlive('r.instance_id')} AND NOT r.draining AND NOT ${isGoneForGood}
    AND r.host_group IN (SELECT jsonb_array_elements_text($1::jsonb))
  ORDER BY r.id`

const move = `
  UPDATE tunnel_allocations a SET relay_id = $2, relay_status = NULL, relay_error = NULL, updated_at = now(), ${countAnew}
  WHERE a.id IN (
    SELECT m.id FROM tunnel_allocations m
    WHERE m.relay_id = $1 AND m.host_group = $3
      AND m.port BETWEEN COALESCE($4::integer, m.port) AND COALESCE($5::integer, m.port)
    ORDER BY m.id LIMIT $6 FOR UPDATE SKIP LOCKED)
  RETURNING a.id, a.device_id`

export function createFailover(options: FailoverOptions): Failover {
  const { database, sql, logger, audit, graceMs, intervalMs, onMoved } = options
  /** Since when it is known that relays which are there would look so. */
  let steadySince = performance.now()
  let lookedAt = steadySince
  /** Relays without another of their host group, said once. */
  let stranded = new Set<string>()

  const look = async (): Promise<{ moved: Moved[]; rows: (MovedRow & { from: string; to: string })[] }> => {
    const moved: Moved[] = []
    const rows: (MovedRow & { from: string; to: string })[] = []
    const alone = new Set<string>()
    const steady = lookedAt - steadySince >= graceMs
    await database.transaction(async (transaction) => {
      const [lock] = await sql<{ mine: boolean }>(
        `SELECT pg_try_advisory_xact_lock(hashtextextended('tunnel:failover', 0)) AS mine`,
        [],
        transaction,
      )
      if (!lock?.mine) return
      const lost = (await sql<Lost>(lostRelays, [graceMs / 1_000], transaction)).filter(
        (relay) => relay.gone_for_good || steady,
      )
      if (lost.length === 0) return
      const groups = JSON.stringify([...new Set(lost.map(({ host_group }) => host_group))])
      const there = await sql<Haven>(havens, [groups], transaction)
      const taken = new Map<string, number>()
      for (const relay of lost) {
        let left = relay.allocations
        for (const haven of there.filter((one) => fits(relay, one))) {
          const room = roomOf(haven, taken)
          if (left <= 0 || room <= 0) continue
          const some = await sql<MovedRow>(
            move,
            [relay.id, haven.id, relay.host_group, haven.port_from, haven.port_to, Math.min(room, maxMoves)],
            transaction,
          )
          if (some.length === 0) continue
          left -= some.length
          taken.set(haven.id, (taken.get(haven.id) ?? 0) + some.length)
          const deviceIds = [...new Set(some.map(({ device_id }) => device_id))]
          moved.push({ from: relay.id, to: haven.id, deviceIds })
          rows.push(...some.map((row) => ({ ...row, from: relay.id, to: haven.id })))
        }
        if (left === relay.allocations) alone.add(relay.id)
      }
    })
    for (const id of alone) {
      if (!stranded.has(id)) logger.warn({ relayId: id }, 'a relay is gone, and none of its host group has room')
    }
    stranded = alone
    return { moved, rows }
  }

  return {
    async run() {
      const now = performance.now()
      if (now - lookedAt > gapIntervals * intervalMs) steadySince = now
      lookedAt = now
      let found: Awaited<ReturnType<typeof look>>
      try {
        found = await look()
      } catch (error) {
        // Leases may have run out while the database was away.
        steadySince = performance.now()
        throw error
      }
      if (found.moved.length === 0) return
      for (const { from, to, deviceIds } of found.moved) {
        logger.warn({ from, to, devices: deviceIds.length }, 'a relay is gone; another serves its allocations')
      }
      await onMoved(found.moved)
      for (const some of inChunks(found.rows, auditedAtOnce)) {
        await Promise.all(
          some.map(({ id, device_id, from, to }) =>
            audit.allocation('moved', Number(id), 'system', { deviceId: device_id, from, to }),
          ),
        )
      }
    },
  }
}

/** Everybody's relay stands in for everybody's and for an organisation's own; an organisation's for its own only. */
function fits(lost: Lost, haven: Haven): boolean {
  if (haven.id === lost.id || haven.host_group !== lost.host_group) return false
  return haven.organisation_id === null || haven.organisation_id === lost.organisation_id
}

function roomOf({ id, capacity, allocations }: Haven, taken: ReadonlyMap<string, number>): number {
  return capacity === null ? Number.MAX_SAFE_INTEGER : capacity - allocations - (taken.get(id) ?? 0)
}
