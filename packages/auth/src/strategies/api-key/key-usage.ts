import type { Database } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import type { KeyRecord } from './key-record.js'

/** How far `last_used_at` may lag behind: a key in use is written this often and no more. */
const writeIntervalMs = 60_000
/** Keys whose use waits to be written. The use of more is not noted until there is room. */
const maxWaiting = 20_000
/** Keys that one statement writes. */
const batchSize = 1_000

/** When keys were last used: kept in memory and written for many at once, not with each request. */
export interface KeyUsage {
  note(record: Pick<KeyRecord, 'id' | 'lastUsedAt'>): void
  /** What the database knows, or later use that this instance knows of. */
  lastUsedAt(record: Pick<KeyRecord, 'id' | 'lastUsedAt'>): Date | null
  /** Writes what waits. What could not be written waits on. */
  flush(): Promise<void>
}

export function createKeyUsage({ sequelize }: Pick<Database, 'sequelize'>): KeyUsage {
  const waiting = new Map<string, Date>()

  const write = async (batch: readonly (readonly [string, Date])[]): Promise<void> => {
    // Locked in one order: two instances that write the same keys wait for each other in turn.
    await sequelize.query(
      `WITH used AS (SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)),
         locked AS (
           SELECT k.id, used.at FROM auth_api_keys k JOIN used USING (id) ORDER BY k.id FOR NO KEY UPDATE OF k
         )
       UPDATE auth_api_keys k SET last_used_at = greatest(k.last_used_at, locked.at) FROM locked WHERE k.id = locked.id`,
      { bind: [batch.map(([id]) => id), batch.map(([, at]) => at.toISOString())], type: QueryTypes.RAW },
    )
  }

  return {
    note({ id, lastUsedAt }) {
      const now = Date.now()
      if (lastUsedAt && now - lastUsedAt.getTime() < writeIntervalMs) return
      if (waiting.size < maxWaiting || waiting.has(id)) waiting.set(id, new Date(now))
    },
    lastUsedAt({ id, lastUsedAt }) {
      const noted = waiting.get(id)
      return noted && (!lastUsedAt || noted > lastUsedAt) ? noted : lastUsedAt
    },
    async flush() {
      const entries = [...waiting]
      for (let from = 0; from < entries.length; from += batchSize) {
        const batch = entries.slice(from, from + batchSize)
        await write(batch)
        for (const [id, at] of batch) if (waiting.get(id) === at) waiting.delete(id)
      }
    },
  }
}
