import { QueryTypes, type Sequelize } from 'sequelize'
import type { Logger } from '../kernel/logger.js'
import type { Disposer } from '../kernel/scope.js'

/** How often the embedded database is looked after. */
const intervalMs = 5 * 60_000
/** Tables vacuumed in one round: each keeps the event loop busy for a while. */
const tablesPerRound = 2
const minDeadRows = 1_000

/**
 * Does what a server's background processes do and a Postgres of one process has none of: writes the log's changes
 * into the tables, so that it does not grow without end, and frees the room of deleted rows.
 */
export function maintainEmbedded(sequelize: Sequelize, logger: Logger): Disposer {
  const timer = setInterval(() => {
    void maintain(sequelize).catch((error: unknown) => logger.warn({ err: error }, 'database maintenance failed'))
  }, intervalMs).unref()
  return () => clearInterval(timer)
}

/** One round of it. */
export async function maintain(sequelize: Sequelize): Promise<void> {
  await sequelize.query('CHECKPOINT')
  const tables = await sequelize.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, relname) AS name FROM pg_stat_user_tables
     WHERE n_dead_tup > ${minDeadRows} AND n_dead_tup > n_live_tup / 5
     ORDER BY n_dead_tup DESC LIMIT ${tablesPerRound}`,
    { type: QueryTypes.SELECT },
  )
  for (const { name } of tables) await sequelize.query(`VACUUM (ANALYZE) ${name}`)
}
