// The database of a host that has one: connected to as its own pool is, and shared when it is in this process.
import pg from 'pg'
import { QueryTypes, Sequelize } from 'sequelize'
import t, { type Test } from 'tap'
import { readHostConnection } from '../../dist/database/host-connection.js'
import { Database, database, type EmbeddedPostgres, embeddedPostgres } from '../../dist/index.js'
import {
  createTestKernel,
  missingPostgres,
  skipWithout,
  startPostgres,
  type TestKernel,
} from '../../dist/testing/index.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

async function started(t: Test, connectLike: object): Promise<TestKernel> {
  const kernel = await createTestKernel({ plugins: [database({ connectLike }), needs(Database)] })
  t.teardown(() => kernel[Symbol.asyncDispose]())
  return kernel
}

async function currentUser({ sequelize }: Database): Promise<string> {
  const [row] = await sequelize.query<{ name: string }>(
    "SELECT concat(current_user, ' ', current_setting('application_name')) AS name",
    { type: QueryTypes.SELECT },
  )
  return row?.name ?? ''
}

t.test(
  'a server, as the pool of the host reaches it',
  { skip: skipWithout('Postgres', missingPostgres()) },
  async (t) => {
    await using postgres = await startPostgres()
    const { hostname: host, port, username: user, pathname } = new URL(postgres.url)
    const separately = { host, port: Number(port), user, database: pathname.slice(1), password: postgres.password }
    let asked = 0
    const changing = {
      ...separately,
      application_name: 'host',
      password: async () => {
        asked += 1
        return postgres.password
      },
    }
    for (const [title, settings, name] of [
      ['by a connection string', { connectionString: postgres.url }, 'sallyport sallyport'],
      ['by separate settings', separately, 'sallyport sallyport'],
      ['with a password that changes', changing, 'sallyport host'],
    ] as const) {
      await t.test(title, async (t) => {
        const pool = new pg.Pool(settings)
        t.teardown(() => pool.end())
        const kernel = await started(t, pool)
        t.equal(kernel.get(Database).kind, 'postgres')
        t.equal(await currentUser(kernel.get(Database)), name)
        t.equal(pool.totalCount, 0, 'the connections are its own')
      })
    }
    t.ok(asked > 0)
    t.equal(await currentUser((await started(t, separately)).get(Database)), 'sallyport sallyport', 'without a pool')

    const error = await rejection(started(t, new pg.Pool({ ...separately, password: 'hunter2hunter2' })))
    t.match(error, { code: 'CORE_ERR_DATABASE_UNREACHABLE', message: `${host}:${port} does not let ${user} in` })
    t.notMatch([error.message, error.stack, JSON.stringify(error)].join(), 'hunter2')
  },
)

t.test('a client certificate’s key is taken, and stays out of what is printed', async (t) => {
  const ssl = { key: 'hunter2' }
  for (const connectLike of [{ host: '127.0.0.1', port: 1, ssl }, new pg.Pool({ host: '127.0.0.1', port: 1, ssl })]) {
    const error = await rejection(started(t, connectLike))
    t.match(error, { code: 'CORE_ERR_DATABASE_UNREACHABLE', message: 'nothing listens at 127.0.0.1:1' })
    const { client } = readHostConnection(connectLike)
    t.equal((client.ssl as typeof ssl).key, 'hunter2')
    t.notMatch(JSON.stringify(client), 'hunter2')
  }
})

t.test('a password within a connection string is known, so that no message has it', async (t) => {
  const pool = new pg.Pool({ connectionString: 'postgres://a:hunter2@127.0.0.1/b' })
  t.equal(readHostConnection(pool).password, 'hunter2')
})

t.test('what is neither a pool nor settings is refused, and not taken for what the environment says', async (t) => {
  const pool = new pg.Pool({ host: '127.0.0.1', port: 1 })
  const wrong = {
    'a client': new pg.Client(),
    'a Sequelize': new Sequelize('postgres://a@127.0.0.1/b'),
    'what has the pool in it': { pool, query: () => undefined },
    'an instance of a class': new URL('postgres://a@127.0.0.1/b'),
  }
  for (const [title, connectLike] of Object.entries(wrong)) {
    const message = 'connectLike is neither a pg.Pool nor settings as pg.Client takes them'
    t.match(await rejection(started(t, connectLike)), { code: 'CORE_ERR_CONFIG_INVALID', message }, title)
  }
})

t.test('a URL beside it is refused', async (t) => {
  const both = createTestKernel({
    plugins: [database({ url: 'postgres://a@127.0.0.1/b', connectLike: new pg.Pool() }), needs(Database)],
  })
  t.match(await rejection(both), { code: 'CORE_ERR_CONFIG_INVALID', message: 'url and connectLike' })
})

t.test('a Postgres in this process, shared', async (t) => {
  let postgres: EmbeddedPostgres | undefined
  t.teardown(() => postgres?.close())
  postgres = await embeddedPostgres({ dataDir: 'memory://' })
  const pool = new pg.Pool(postgres.connection)
  await pool.query('CREATE TABLE counters (id integer PRIMARY KEY, value integer NOT NULL)')
  await pool.query('INSERT INTO counters VALUES (1, 0)')
  const kernel = await started(t, pool)
  const shared = kernel.get(Database)

  await t.test('transactions of both keep apart', async (t) => {
    const seen: number[] = []
    const increase = async (): Promise<void> => {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const { rows } = await client.query<{ value: number }>('SELECT value FROM counters')
        await new Promise((resolve) => setImmediate(resolve))
        await client.query('UPDATE counters SET value = $1', [(rows[0]?.value ?? 0) + 1])
        await client.query('COMMIT')
      } finally {
        client.release()
      }
    }
    const increaseHere = (): Promise<void> =>
      shared.transaction(async (transaction) => {
        const select = { type: QueryTypes.SELECT, transaction } as const
        const [row] = await shared.sequelize.query<{ value: number }>('SELECT value FROM counters', select)
        await new Promise((resolve) => setImmediate(resolve))
        const bind = [(row?.value ?? 0) + 1]
        await shared.sequelize.query('UPDATE counters SET value = $1', { bind, transaction })
      })
    const look = async (): Promise<void> => {
      const { rows } = await pool.query<{ value: number }>('SELECT value FROM counters')
      seen.push(rows[0]?.value ?? -1)
    }
    await Promise.all(Array.from({ length: 20 }, () => [increase(), increaseHere(), look()]).flat())
    t.same((await pool.query('SELECT value FROM counters')).rows, [{ value: 40 }])
    t.ok(seen.every((value) => value >= 0 && value <= 40))
  })

  await t.test('one that is left open is rolled back with its connection, and holds up nobody for ever', async (t) => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('UPDATE counters SET value = -1')
    const waiting = shared.sequelize.query('SELECT value FROM counters', { type: QueryTypes.SELECT })
    client.release(true)
    t.same(await waiting, [{ value: 40 }])
  })

  await t.test('nor one that begins while its connection goes away', async (t) => {
    for (let turns = 0; turns < 12; turns++) {
      const client = await pool.connect()
      const begin = client.query('BEGIN').catch(() => undefined)
      for (let turn = 0; turn < turns; turn++) await undefined
      client.release(true)
      await begin
      const other = await pool.connect()
      await other.query('SELECT 1')
      t.same((await pool.query('SELECT value FROM counters')).rows, [{ value: 40 }], `after ${turns}`)
      other.release()
    }
  })

  await t.test('who gives up waiting is not waited for', async (t) => {
    const holder = await pool.connect()
    await holder.query('BEGIN')
    const impatient = new pg.Client({ ...postgres?.connection, connectionTimeoutMillis: 50 })
    await t.rejects(impatient.connect(), /timeout|terminated/)
    await holder.query('COMMIT')
    holder.release()
    t.same((await pool.query('SELECT value FROM counters')).rows, [{ value: 40 }])
  })

  await kernel[Symbol.asyncDispose]()
  t.same((await pool.query('SELECT value FROM counters')).rows, [{ value: 40 }], 'outlives the kernel')
  await pool.end()
})
