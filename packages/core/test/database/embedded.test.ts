import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { maintain } from '../../dist/database/embedded-maintenance.js'
import { createKernel, createLogger, Database, database, definePlugin, type Kernel } from '../../dist/index.js'
import { eventually } from '../support/eventually.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'

// Making a database takes seconds, and more on a busy machine.
t.setTimeout(180_000)

function kernelOn(dataDir: string): Kernel {
  const table = definePlugin({
    name: 'test-notes',
    version: '1.0.0',
    requires: { database: Database },
    migrations: [
      { name: '0001-create', up: ({ sql }) => sql('CREATE TABLE notes (id serial PRIMARY KEY, text text)') },
    ],
    setup() {},
  })
  const logger = createLogger({ level: 'silent' })
  return createKernel({ plugins: [database({ dataDir }), table()], http: false, logger })
}

async function started(dataDir: string): Promise<{ kernel: Kernel; database: Database }> {
  const kernel = kernelOn(dataDir)
  await kernel.start()
  return { kernel, database: kernel.get(Database) }
}

async function texts({ sequelize }: Database): Promise<string[]> {
  const rows = await sequelize.query<{ text: string }>('SELECT text FROM notes ORDER BY id', {
    type: QueryTypes.SELECT,
  })
  return rows.map(({ text }) => text)
}

t.test('in a data directory', async (t) => {
  const dataDir = join(t.testdir(), 'deep', 'data')

  await t.test('is made, private, and empty of anything else', async (t) => {
    const { kernel, database } = await started(dataDir)
    t.equal(database.kind, 'embedded')
    t.equal(statSync(dataDir).mode & 0o777, 0o700)
    t.equal(statSync(join(dataDir, 'postgres')).mode & 0o777, 0o700)
    t.same(readdirSync(dataDir).sort(), ['lock', 'postgres'])
    await database.sequelize.query('INSERT INTO notes (text) VALUES ($1)', { bind: ['first'] })
    await kernel.stop()
    t.same(readdirSync(dataDir), ['postgres'])
  })

  await t.test('writes nothing any more once another process has the directory', async (t) => {
    const { kernel, database } = await started(dataDir)
    const lock = join(dataDir, 'lock')
    const own = JSON.parse(readFileSync(lock, 'utf8')) as object
    writeFileSync(lock, JSON.stringify({ ...own, token: 'of-another' }))
    const write = (): Promise<unknown> => database.sequelize.query("UPDATE notes SET text = text WHERE text = 'first'")
    const refused = await eventually(async () => {
      const error = await write().catch((failure: unknown) => failure)
      return error instanceof Error && error
    })
    t.match(refused.message, /taken over/)
    await kernel.stop()
    t.match(readFileSync(lock, 'utf8'), 'of-another')
    rmSync(lock)
  })

  await t.test('takes more at once than a piece of its log holds', async (t) => {
    const { kernel, database } = await started(dataDir)
    const add = `INSERT INTO notes (text) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 8000) i`
    await database.sequelize.query(add)
    await database.sequelize.query('CHECKPOINT')
    await database.sequelize.query("DELETE FROM notes WHERE text <> 'first'")
    t.same(await texts(database), ['first'])
    await kernel.stop()
  })

  await t.test('is there again', async (t) => {
    const { kernel, database } = await started(dataDir)
    t.same(await texts(database), ['first'])
    await kernel.stop()
  })

  await t.test('is opened by one kernel at a time', async (t) => {
    const { kernel, database } = await started(dataDir)
    const error = await rejection(kernelOn(dataDir).start())
    t.equal(error.code, 'CORE_ERR_DATA_DIR_LOCKED')
    t.same(await texts(database), ['first'])
    await kernel.stop()
  })

  await t.test('has after kill -9 whatever was committed', async (t) => {
    const child = fork(new URL('../support/commit-until-killed.js', import.meta.url), [dataDir])
    let last = 0
    child.on('message', ({ committed }: { committed: number }) => {
      last = committed
      if (committed === 60) child.kill('SIGKILL')
    })
    const [, signal] = (await once(child, 'exit')) as [number, string]
    t.equal(signal, 'SIGKILL')
    t.ok(existsSync(join(dataDir, 'lock')), 'its lock is left behind')
    const { kernel, database } = await started(dataDir)
    const found = await texts(database)
    t.same(found.slice(0, 1 + last), ['first', ...Array.from({ length: last }, (_, index) => `note ${index + 1}`)])
    t.notMatch(found.join(), 'never committed')
    await kernel.stop()
  })

  await t.test('has its upkeep done', async (t) => {
    const { kernel, database } = await started(dataDir)
    const { sequelize } = database
    await sequelize.query("INSERT INTO notes (text) SELECT 'x' FROM generate_series(1, 3000)")
    await sequelize.query("DELETE FROM notes WHERE text = 'x'")
    const dead = async (): Promise<number> => {
      await sequelize.query('SELECT pg_stat_force_next_flush()')
      const rows = await sequelize.query<{ dead: string }>(
        "SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'notes'",
        { type: QueryTypes.SELECT },
      )
      return Number(rows[0]?.dead)
    }
    t.ok((await dead()) >= 3000)
    await maintain(sequelize)
    t.equal(await dead(), 0)
    await kernel.stop()
  })
})

t.test('what a start that was cut off left behind is cleared away', async (t) => {
  const dataDir = t.testdir({ 'postgres.new-1': { PG_VERSION: '18\n' }, postgres: {} })
  const { kernel, database } = await started(dataDir)
  t.same(await texts(database), [])
  await kernel.stop()
  t.same(readdirSync(dataDir), ['postgres'])
})

t.test('a damaged database is said to be, and not made anew', async (t) => {
  const { exitCode } = process
  const sound = join(t.testdir(), 'sound')
  const { kernel } = await started(sound)
  await kernel.stop()
  for (const [damage, reason] of [
    [(files: string) => rmSync(join(files, 'PG_VERSION')), /PG_VERSION/],
    [(files: string) => writeFileSync(join(files, 'global', 'pg_control'), 'nonsense'), /pg_control/],
    [(files: string) => writeFileSync(join(files, 'PG_VERSION'), '14\n'), /version 14/],
  ] as const) {
    const dataDir = join(dirname(sound), 'damaged')
    rmSync(dataDir, { recursive: true, force: true })
    cpSync(sound, dataDir, { recursive: true })
    const files = join(dataDir, 'postgres')
    damage(files)
    const before = readdirSync(files)
    const error = await rejection(kernelOn(dataDir).start())
    t.equal(error.code, 'CORE_ERR_DATABASE_CORRUPT')
    t.match(error.message, reason)
    t.same(
      readdirSync(files).filter((name) => name !== 'postmaster.pid'),
      before.filter((name) => name !== 'postmaster.pid'),
    )
    t.notOk(existsSync(join(dataDir, 'lock')))
  }
  t.equal(process.exitCode, exitCode)
})

t.test('a data directory that cannot be used is said to be', async (t) => {
  const directory = t.testdir({ file: '' })
  for (const dataDir of [join(directory, 'file'), join(directory, 'file', 'below'), '/proc/nothing']) {
    t.equal((await rejection(kernelOn(dataDir).start())).code, 'CORE_ERR_DATA_DIR_UNUSABLE', dataDir)
  }
  const readOnly = join(directory, 'read-only')
  mkdirSync(readOnly)
  chmodSync(readOnly, 0o500)
  await asUnprivileged(async () => {
    const error = await rejection(kernelOn(readOnly).start())
    t.equal(error.code, 'CORE_ERR_DATA_DIR_UNUSABLE')
    t.match(error.message, /permission denied/)
  })
})

/** Root may write everywhere, so that only another user can be refused. */
async function asUnprivileged(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

t.test('in memory', async (t) => {
  const kernel = createKernel({
    plugins: [database({ dataDir: 'memory://' }), needs(Database)],
    http: false,
    logger: createLogger({ level: 'silent' }),
  })
  await kernel.start()
  t.teardown(() => kernel.stop())
  const db = kernel.get(Database)
  const { sequelize } = db
  await sequelize.query('CREATE TABLE items (id serial PRIMARY KEY, text text UNIQUE)')
  const count = async (): Promise<number> => {
    const rows = await sequelize.query<{ count: string }>('SELECT count(*) FROM items', { type: QueryTypes.SELECT })
    return Number(rows[0]?.count)
  }

  await t.test('a transaction is committed whole', async (t) => {
    const given = await db.transaction(async (transaction) => {
      await sequelize.query("INSERT INTO items (text) VALUES ('a'), ('b')", { transaction })
      return 7
    })
    t.equal(given, 7)
    t.equal(await count(), 2)
  })

  await t.test('a transaction that fails leaves nothing, and nothing open', async (t) => {
    await t.rejects(
      db.transaction(async (transaction) => {
        await sequelize.query("INSERT INTO items (text) VALUES ('c')", { transaction })
        await sequelize.query("INSERT INTO items (text) VALUES ('a')", { transaction })
      }),
    )
    t.equal(await count(), 2)
  })

  await t.test('many queries at once each get their own answer', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        sequelize.query<{ n: number }>('SELECT $1::int AS n', { bind: [index], type: QueryTypes.SELECT }),
      ),
    )
    t.same(
      answers.map(([row]) => row?.n),
      Array.from({ length: 100 }, (_, index) => index),
    )
  })

  await t.test('large values come and go whole', async (t) => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'ÿ').toString('latin1')
    const rows = await sequelize.query<{ text: string }>('SELECT $1::text AS text', {
      bind: [large],
      type: QueryTypes.SELECT,
    })
    t.ok(rows[0]?.text === large)
  })

  await t.test('what an error of a query shows to a logger holds no value', async (t) => {
    const secret = 'a value not to be logged'
    await sequelize.query('INSERT INTO items (text) VALUES ($1)', { bind: [secret] })
    const error = await sequelize.query('INSERT INTO items (text) VALUES ($1)', { bind: [secret] }).then(
      () => t.fail('it is unique'),
      (failure: Error) => failure,
    )
    t.notMatch(JSON.stringify({ ...(error as object) }), secret)
    t.notMatch((error as Error).message, secret)
    t.match((error as Error & { parent: Error }).parent.message, /unique/)
  })
})
