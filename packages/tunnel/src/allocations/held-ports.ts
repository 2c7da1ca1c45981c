import type { Sql } from '@sallyport/core'

/** Ports kept for one device; the newest stay. */
const maxHeldPerDevice = 16
/** Rows removed by one sweep; what is left waits for the next. */
const maxSwept = 10_000

/**
 * Removes an allocation and keeps its port for its device. One statement: nobody sees the port free in between. Gives
 * whether it was there.
 */
export async function removeAndHold(sql: Sql, id: number, heldSeconds: number): Promise<boolean> {
  const rows = await sql<{ id: number | string }>(
    `WITH gone AS (DELETE FROM tunnel_allocations WHERE id = $1 RETURNING *),
     surplus AS (
       DELETE FROM tunnel_held_ports h USING (
         SELECT o.host_group, o.port, o.protocol
         FROM tunnel_held_ports o JOIN gone ON gone.device_id = o.device_id
         ORDER BY o.held_until DESC OFFSET $3) AS o
       WHERE (h.host_group, h.port, h.protocol) = (o.host_group, o.port, o.protocol)),
     held AS (
       INSERT INTO tunnel_held_ports (host_group, port, protocol, device_id, local_port, held_until)
       SELECT host_group, port, protocol, device_id, local_port, now() + make_interval(secs => $2) FROM gone
       ON CONFLICT (host_group, port, protocol) DO UPDATE SET
         device_id = excluded.device_id, local_port = excluded.local_port, held_until = excluded.held_until)
     SELECT id FROM gone`,
    [id, heldSeconds, maxHeldPerDevice - 1],
  )
  return rows.length > 0
}

/** Forgets ports that are no longer kept. Gives how many. */
export async function sweepHeldPorts(sql: Sql): Promise<number> {
  const rows = await sql<{ port: number }>(
    `DELETE FROM tunnel_held_ports WHERE (host_group, port, protocol) IN (
       SELECT host_group, port, protocol FROM tunnel_held_ports WHERE held_until <= now()
       ORDER BY held_until LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING port`,
    [maxSwept],
  )
  return rows.length
}
