import { fork } from 'node:child_process'
import { once } from 'node:events'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { Database, database, definePlugin, type Migration, type Plugin } from '../../dist/index.js'
import {
  createTestKernel,
  missingPostgres,
  skipWithout,
  startPostgres,
  type TestKernel,
} from '../../dist/testing/index.js'
import { rejection } from '../support/reject.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

function withMigrations(name: string, ...migrations: Migration[]): Plugin {
  return definePlugin({ name, version: '1.0.0', requires: { database: Database }, migrations, setup() {} })()
}

const create = (table: string): Migration => ({
  name: `create-${table}`,
  up: ({ sql }) => sql(`CREATE TABLE ${table} (id int); INSERT INTO ${table} VALUES (1)`),
})

async function select<T extends object>({ sequelize }: Database, sql: string): Promise<T[]> {
  return sequelize.query<T>(sql, { type: QueryTypes.SELECT })
}

const appliedOf = async (db: Database): Promise<string[]> =>
  (await select<{ row: string }>(db, "SELECT plugin || '/' || name AS row FROM sallyport_migrations ORDER BY 1")).map(
    ({ row }) => row,
  )

const tablesOf = async (db: Database): Promise<string[]> =>
  (await select<{ name: string }>(db, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"))
    .map(({ name }) => name)
    .filter((name) => name !== 'sallyport_migrations')

t.test('migrations', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const server = await startPostgres()
  t.teardown(() => server[Symbol.asyncDispose]())
  const start = (url: string, ...plugins: Plugin[]): Promise<TestKernel> =>
    createTestKernel({ http: false, plugins: [database({ url }), ...plugins] })
  const observe = (url: string): Promise<TestKernel> => start(url, withMigrations('observer'))

  await t.test('are applied once each, in the order in which plugins start', async (t) => {
    const url = await server.createDatabase()
    const order: string[] = []
    const noting = (name: string): Migration => ({ name, up: async () => void order.push(name) })
    const plugins = [withMigrations('b', noting('b-1'), noting('b-2')), withMigrations('a', noting('a-1'))]
    await (await start(url, ...plugins)).stop()
    t.same(order, ['a-1', 'b-1', 'b-2'])
    const later = [withMigrations('a', noting('a-1'), noting('a-2')), plugins[0] as Plugin]
    await using kernel = await start(url, ...later)
    t.same(order, ['a-1', 'b-1', 'b-2', 'a-2'])
    t.same(await appliedOf(kernel.get(Database)), ['a/a-1', 'a/a-2', 'b/b-1', 'b/b-2'])
  })

  await t.test('that are done are waited for by nobody', async (t) => {
    const url = await server.createDatabase()
    const plugin = withMigrations('a', create('things'))
    await using first = await start(url, plugin)
    const { sequelize } = first.get(Database)
    await sequelize.transaction(async (transaction) => {
      // As another instance that migrates for minutes has it.
      await sequelize.query('SELECT pg_advisory_xact_lock(7350001)', { transaction })
      await using second = await start(url, plugin)
      t.same(await appliedOf(second.get(Database)), ['a/create-things'])
    })
  })

  await t.test('are all undone when one fails, whichever plugin it is of', async (t) => {
    const url = await server.createDatabase()
    const broken: Migration = { name: 'break', up: ({ sql }) => sql('CREATE TABLE broken (id nonsense)') }
    const error = await rejection(
      start(url, withMigrations('a', create('early')), withMigrations('b', create('late'), broken)),
    )
    t.equal(error.code, 'CORE_ERR_DATABASE_MIGRATION_FAILED')
    t.equal(error.message, 'Migration break of b failed: type "nonsense" does not exist')
    await using kernel = await observe(url)
    t.same(await tablesOf(kernel.get(Database)), [])
    t.same(await appliedOf(kernel.get(Database)), [])
  })

  await t.test('are named when they go on after a statement of theirs has failed', async (t) => {
    const url = await server.createDatabase()
    const swallow: Migration = { name: 'swallow', up: ({ sql }) => sql('CREATE TABLE x (id nonsense)').catch(() => {}) }
    const error = await rejection(start(url, withMigrations('a', swallow)))
    t.match(error, { code: 'CORE_ERR_DATABASE_MIGRATION_FAILED', message: 'Migration swallow of a failed' })
  })

  await t.test('of a newer version stop the start before anything is changed', async (t) => {
    const url = await server.createDatabase()
    await (await start(url, withMigrations('z', create('one'), create('two')))).stop()
    const error = await rejection(start(url, withMigrations('a', create('three')), withMigrations('z', create('one'))))
    t.equal(error.code, 'CORE_ERR_DATABASE_NEWER')
    t.match(error.message, /z .*create-two/)
    await using kernel = await observe(url)
    t.same(await tablesOf(kernel.get(Database)), ['one', 'two'])
    t.same(await appliedOf(kernel.get(Database)), ['z/create-one', 'z/create-two'])
  })

  await t.test('of plugins that are no longer there are left alone', async (t) => {
    const url = await server.createDatabase()
    await (await start(url, withMigrations('gone', create('old')))).stop()
    await using kernel = await start(url, withMigrations('here', create('fresh')))
    t.same(await appliedOf(kernel.get(Database)), ['gone/create-old', 'here/create-fresh'])
  })

  await t.test('are applied by one of several kernels that start together', async (t) => {
    const url = await server.createDatabase()
    const slow: Migration = { name: 'slow', up: ({ sql }) => sql('CREATE TABLE slow (id int); SELECT pg_sleep(0.3)') }
    const kernels = await Promise.all(
      Array.from({ length: 4 }, () => start(url, withMigrations('a', create('one'), slow, create('two')))),
    )
    t.same(await tablesOf((kernels[0] as TestKernel).get(Database)), ['one', 'slow', 'two'])
    const lines = kernels.flatMap(({ log }) => log.lines.filter(({ msg }) => msg === 'migrations applied'))
    t.equal(lines.length, 1)
    await Promise.all(kernels.map((kernel) => kernel.stop()))
  })

  await t.test('are that and have their time, whatever the host’s sessions have for a default', async (t) => {
    const connectLike = {
      connectionString: await server.createDatabase(),
      options: '-c default_transaction_isolation=serializable',
      statement_timeout: 200,
      query_timeout: 200,
    }
    const slow: Migration = { name: 'slow', up: ({ sql }) => sql('CREATE TABLE slow (id int); SELECT pg_sleep(0.5)') }
    const plugins = [database({ connectLike }), withMigrations('a', slow)]
    const kernels = await Promise.all([1, 2, 3].map(() => createTestKernel({ http: false, plugins })))
    t.same(await appliedOf((kernels[0] as TestKernel).get(Database)), ['a/slow'])
    await Promise.all(kernels.map((kernel) => kernel.stop()))
  })

  await t.test('are applied by one of several processes that start together', async (t) => {
    const url = await server.createDatabase()
    const child = new URL('../support/migrate-and-exit.js', import.meta.url)
    const children = Array.from({ length: 3 }, () => fork(child, { env: { ...process.env, TEST_DATABASE_URL: url } }))
    const codes = await Promise.all(children.map(async (process) => (await once(process, 'exit'))[0] as number))
    t.same(codes, [0, 0, 0])
    await using kernel = await observe(url)
    t.same(await tablesOf(kernel.get(Database)), ['shared'])
    t.same(await select(kernel.get(Database), 'SELECT count(*)::int AS count FROM shared'), [{ count: 1 }])
  })
})

t.test('a migration may use Sequelize’s query interface, on the embedded database too', async (t) => {
  await using kernel = await createTestKernel({
    http: false,
    plugins: [
      withMigrations('a', {
        name: 'one',
        async up({ queryInterface, transaction, sequelize }) {
          await queryInterface.createTable('made', { id: { type: 'integer', primaryKey: true } }, { transaction })
          await sequelize.query('INSERT INTO made VALUES ($1)', { bind: [7], transaction })
        },
      }),
    ],
  })
  t.same(await select(kernel.get(Database), 'SELECT id FROM made'), [{ id: 7 }])
})
