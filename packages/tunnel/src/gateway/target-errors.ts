import type { Logger, Sql } from '@sallyport/core'
import { createKeyedBatches, type KeyedBatches } from '../keyed-batches.js'

/** Why an agent cannot reach targets: code by allocation; those left out are reached. */
export type TargetErrors = Readonly<Record<number, string>>

/** Writes what agents say of their targets to `tunnel_allocations.target_error`, by device; only what is different. */
export function createTargetErrors(
  sql: Sql,
  logger: Logger,
  onWritten: (deviceIds: readonly string[]) => void = () => undefined,
): KeyedBatches<TargetErrors> {
  return createKeyedBatches<TargetErrors>({
    what: 'writing what agents say of their targets',
    logger,
    async run(batch) {
      const written = await sql<{ device_id: string }>(
        `WITH given AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (device uuid, errors jsonb)),
         due AS (
           SELECT a.id, g.errors ->> a.id::text AS error
           FROM tunnel_allocations a JOIN given g ON g.device = a.device_id
           WHERE a.target_error IS DISTINCT FROM (g.errors ->> a.id::text)
           ORDER BY a.id FOR NO KEY UPDATE OF a)
         UPDATE tunnel_allocations a SET target_error = due.error FROM due WHERE a.id = due.id
         RETURNING a.device_id`,
        [JSON.stringify([...batch].map(([device, errors]) => ({ device, errors })))],
      )
      if (written.length > 0) onWritten([...new Set(written.map(({ device_id }) => device_id))])
    },
  })
}
