import { QueryTypes, type Sequelize, type Transaction } from 'sequelize'
import { Umzug } from 'umzug'
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
  return sequelize.transaction(async (transaction) => {
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

async function readApplied(sequelize: Sequelize, transaction: Transaction): Promise<Map<string, Set<string>>> {
  const rows = await sequelize.query<{ plugin: string; name: string }>(
    'SELECT plugin, name FROM sallyport_migrations',
    {
      type: QueryTypes.SELECT,
      transaction,
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
  const umzug = new Umzug<MigrationContext>({
    context,
    logger: undefined,
    migrations: plugin.migrations.map((migration) => ({
      name: migration.name,
      up: (params) => migration.up(params.context),
    })),
    storage: {
      executed: async () => [...applied],
      logMigration: async ({ name }) => {
        await sequelize.query('INSERT INTO sallyport_migrations (plugin, name) VALUES ($1, $2)', {
          bind: [plugin.name, name],
          transaction,
        })
      },
      unlogMigration: () => Promise.reject(new Error('migrations are not undone')),
    },
  })
  let current = ''
  umzug.on('migrating', ({ name }) => {
    current = name
  })
  try {
    const done = await umzug.up()
    return done.map(({ name }) => name)
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw coreErrors.DATABASE_MIGRATION_FAILED({ migration: current, plugin: plugin.name, reason }, { cause })
  }
}
