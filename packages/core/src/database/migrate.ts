import { QueryTypes, type Sequelize, Transaction } from 'sequelize'
import { coreErrors } from '../errors.js'
import type { Plugin } from '../kernel/plugin.js'
import type { MigrationContext } from './migration.js'

/** Key of the advisory lock under which instances that start together take turns; any number that nobody else uses. */
const lockKey = 7_350_001
/** Longest wait for another instance that is migrating. */
const lockTimeoutMs = 300_000

type Migrated = Pick<Plugin, 'name' | 'migrations'>

/**
 * Applies what is pending of every plugin, in the order given, in one transaction: all or nothing. Rows of plugins that
 * are not given are left alone.
 * @returns names of what was applied, as `plugin/migration`
 * @throws `CORE_ERR_DATABASE_NEWER`, `CORE_ERR_DATABASE_MIGRATION_FAILED`
 */
export function migrate(sequelize: Sequelize, plugins: readonly Migrated[]): Promise<readonly string[]> {
  // Once it is our turn, what the one before us recorded must be seen, whatever the server's or the host's default.
  const isolationLevel = Transaction.ISOLATION_LEVELS.READ_COMMITTED
  return sequelize.transaction({ isolationLevel }, async (transaction) => {
    await lock(sequelize, transaction)
    const applied = await readApplied(sequelize, transaction)
    for (const plugin of plugins) assertKnown(plugin, applied.get(plugin.name) ?? new Set())
    const done: string[] = []
    for (const plugin of plugins) {
      const names = await migratePlugin(plugin, applied.get(plugin.name) ?? new Set(), sequelize, transaction)
      done.push(...names.map((name) => `${plugin.name}/${name}`))
    }
    return done
  })
}

/**
 * Whether nothing is pending: most starts then need neither the lock nor a connection for it.
 * @throws `CORE_ERR_DATABASE_NEWER`
 */
export async function isMigrated(sequelize: Sequelize, plugins: readonly Migrated[]): Promise<boolean> {
  const [table] = await sequelize.query<{ found: boolean }>(
    "SELECT to_regclass('sallyport_migrations') IS NOT NULL AS found",
    { type: QueryTypes.SELECT },
  )
  if (!table?.found) return false
  const applied = await readApplied(sequelize)
  for (const plugin of plugins) assertKnown(plugin, applied.get(plugin.name) ?? new Set())
  return plugins.every(({ name, migrations }) => {
    const done = applied.get(name)
    return migrations.every((migration) => done?.has(migration.name))
  })
}

async function lock(sequelize: Sequelize, transaction: Transaction): Promise<void> {
  await sequelize.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}; SELECT pg_advisory_xact_lock(${lockKey})`, {
    transaction,
  })
  await sequelize.query(
    `CREATE TABLE IF NOT EXISTS sallyport_migrations (
      plugin text NOT NULL,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (plugin, name)
    )`,
    { transaction },
  )
}

async function readApplied(sequelize: Sequelize, transaction?: Transaction): Promise<Map<string, Set<string>>> {
  const rows = await sequelize.query<{ plugin: string; name: string }>(
    'SELECT plugin, name FROM sallyport_migrations',
    {
      type: QueryTypes.SELECT,
      ...(transaction && { transaction }),
    },
  )
  const applied = new Map<string, Set<string>>()
  for (const { plugin, name } of rows) {
    const names = applied.get(plugin)
    if (names) names.add(name)
    else applied.set(plugin, new Set([name]))
  }
  return applied
}

function assertKnown({ name, migrations }: Migrated, applied: ReadonlySet<string>): void {
  const known = new Set(migrations.map((migration) => migration.name))
  const unknown = [...applied].sort().find((migration) => !known.has(migration))
  if (unknown !== undefined) throw coreErrors.DATABASE_NEWER({ plugin: name, migration: unknown })
}

async function migratePlugin(
  plugin: Migrated,
  applied: ReadonlySet<string>,
  sequelize: Sequelize,
  transaction: Transaction,
): Promise<readonly string[]> {
  const context: MigrationContext = {
    sequelize,
    queryInterface: sequelize.getQueryInterface(),
    transaction,
    async sql(text) {
      await sequelize.query(text, { transaction, raw: true })
    },
  }
  const done: string[] = []
  for (const migration of plugin.migrations) {
    const { name } = migration
    if (applied.has(name)) continue
    try {
      await migration.up(context)
      await sequelize.query('INSERT INTO sallyport_migrations (plugin, name) VALUES ($1, $2)', {
        bind: [plugin.name, name],
        transaction,
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const failed = { migration: name, plugin: plugin.name, reason }
      throw coreErrors.DATABASE_MIGRATION_FAILED(failed, { cause: error })
    }
    done.push(name)
  }
  return done
}
