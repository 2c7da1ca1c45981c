import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { Database, database, isDatabaseUnavailable, type SallyportError } from '../../dist/index.js'
import {
  createTestKernel,
  createTestLogger,
  missingPostgres,
  skipWithout,
  startPostgres,
  type TestKernel,
} from '../../dist/testing/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

const started = (url: string): Promise<TestKernel> =>
  createTestKernel({ plugins: [database({ url }), needs(Database)] })

/** What a start with this URL fails with; nothing of it may hold a password. */
async function refusal(url: string): Promise<{ error: SallyportError; text: string; ms: number }> {
  const begin = performance.now()
  const error = await rejection(started(url))
  const text = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join()
  return { error, text, ms: performance.now() - begin }
}

t.test('a server that is not there or does not answer', async (t) => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const silence = await refusal(`postgres://ada:hunter2hunter2@127.0.0.1:${port}/panel`)
  t.equal(silence.error.code, 'CORE_ERR_DATABASE_UNREACHABLE')
  t.match(silence.error.message, /does not answer/)
  t.ok(silence.ms < 10_000, `${silence.ms} ms`)
  t.notMatch(silence.text, 'hunter2')

  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port: free } = closed.address() as AddressInfo
  closed.close()
  const refused = await refusal(`postgres://ada:hunter2hunter2@127.0.0.1:${free}/panel`)
  t.match(refused.error.message, `nothing listens at 127.0.0.1:${free}`)
  t.notMatch(refused.text, 'hunter2')

  const unknown = await refusal('postgres://ada:hunter2hunter2@no-such-host.invalid/panel')
  t.match(unknown.error.message, 'no-such-host.invalid')
  t.notMatch(unknown.text, 'hunter2')
})

t.test('a URL that is none is refused before anything is opened', async (t) => {
  for (const url of ['mysql://u:hunter2hunter2@h/d', 'nonsense hunter2hunter2', '']) {
    const error = t.throws(() => database({ url })) as unknown as SallyportError
    t.equal(error.code, 'CORE_ERR_CONFIG_INVALID')
    t.notMatch(error.message, 'hunter2')
  }
  const { error, text } = await refusal('postgres://u:hunter2hunter2@h/d?nonsense=1')
  t.equal(error.code, 'CORE_ERR_CONFIG_INVALID')
  t.notMatch(text, 'hunter2')
})

t.test('a real server', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const server = await startPostgres()
  t.teardown(() => server[Symbol.asyncDispose]())

  await t.test('refuses a wrong password, user or database by name', async (t) => {
    const url = new URL(server.url)
    url.password = 'hunter2hunter2'
    const wrongPassword = await refusal(url.href)
    t.equal(wrongPassword.error.code, 'CORE_ERR_DATABASE_UNREACHABLE')
    t.match(wrongPassword.error.message, 'does not let sallyport in')
    t.notMatch(wrongPassword.text, 'hunter2')
    const wrongDatabase = await refusal(server.url.replace(/\w+$/, 'missing'))
    t.match(wrongDatabase.error.message, 'there is no database missing')
    t.notMatch(wrongDatabase.text, server.password)
  })

  await t.test('runs queries in parallel, in UTC', async (t) => {
    await using kernel = await started(server.url)
    const { kind, sequelize } = kernel.get(Database)
    t.equal(kind, 'postgres')
    const pids = await Promise.all(
      Array.from({ length: 4 }, () =>
        sequelize.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_sleep(1)', { type: QueryTypes.SELECT }),
      ),
    )
    t.ok(new Set(pids.map(([row]) => row?.pid)).size > 1)
    const [zone] = await sequelize.query<{ zone: string }>("SELECT current_setting('timezone') AS zone", {
      type: QueryTypes.SELECT,
    })
    t.match(zone?.zone, /UTC|\+00/)
    t.notMatch(kernel.log.text, server.password)
  })

  await t.test('neither Sequelize nor a log knows the password', async (t) => {
    await using kernel = await started(server.url)
    const { sequelize } = kernel.get(Database)
    const seen = new WeakSet<object>()
    const strings: string[] = []
    const collect = (value: unknown): void => {
      if (typeof value === 'string') strings.push(value)
      if (typeof value !== 'object' || value === null || seen.has(value)) return
      seen.add(value)
      for (const item of Object.values(value)) collect(item)
    }
    collect({ ...sequelize })
    t.notOk(strings.some((text) => text.includes(server.password)))
  })

  await t.test('that goes away gives an error worth a 503, and is used again when it is back', async (t) => {
    await using kernel = await started(server.url)
    const { sequelize } = kernel.get(Database)
    const failure = (sql: string): Promise<unknown> =>
      sequelize.query(sql).then(
        () => undefined,
        (error: unknown) => error,
      )
    t.equal((await kernel.fetch('/api/health/ready')).status, 200)
    const interrupted = failure('SELECT pg_sleep(20)')
    await eventually(async () => {
      const rows = await sequelize.query("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'", {
        type: QueryTypes.SELECT,
      })
      return rows.length > 0
    })
    await server.stop()
    t.ok(isDatabaseUnavailable(await interrupted))
    t.ok(isDatabaseUnavailable(await failure('SELECT 1')))
    t.ok(isDatabaseUnavailable(await failure('SELECT 1')))
    const unready = await kernel.fetch('/api/health/ready')
    t.equal(unready.status, 503)
    t.notMatch(await unready.text(), server.password)
    await server.start()
    await eventually(async () => (await failure('SELECT 1')) === undefined)
    t.equal((await kernel.fetch('/api/health/ready')).status, 200)
    t.notMatch(kernel.log.text, server.password)
  })

  await t.test('that ends a connection is not taken for broken by the next query', async (t) => {
    await using kernel = await started(server.url)
    const { sequelize } = kernel.get(Database)
    const ended = await sequelize.query('SELECT pg_terminate_backend(pg_backend_pid())').then(
      () => undefined,
      (error: unknown) => error,
    )
    t.ok(isDatabaseUnavailable(ended))
    await sequelize.query('SELECT 1')
  })

  await t.test('other errors are not taken for its absence', async (t) => {
    await using kernel = await started(server.url)
    const { sequelize } = kernel.get(Database)
    for (const sql of ['SELECT 1/0', 'SELECT nonsense', 'nonsense']) {
      const error = await sequelize.query(sql).catch((failure: unknown) => failure)
      t.notOk(isDatabaseUnavailable(error), sql)
    }
    t.notOk(isDatabaseUnavailable(undefined))
    t.notOk(isDatabaseUnavailable(new Error('Connection terminated')))
  })

  await t.test('a start that fails leaves no connection', async (t) => {
    const failing = needs()
    const log = createTestLogger()
    await t.rejects(
      createTestKernel({
        logger: log.logger,
        plugins: [
          database({ url: server.url }),
          { ...failing, requires: { database: Database }, setup: () => Promise.reject(new Error('on purpose')) },
        ],
      }),
    )
    await using kernel = await started(await server.createDatabase())
    await eventually(async () => {
      const rows = await kernel
        .get(Database)
        .sequelize.query("SELECT 1 FROM pg_stat_activity WHERE datname = 'test_1'", { type: QueryTypes.SELECT })
      return rows.length === 0
    })
  })
})
