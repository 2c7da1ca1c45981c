// How it starts and ends when something is not as it should be, or is there already.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startPostgres, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import { readSettings } from '../dist/settings.js'
import { ok } from './support/api.js'
import { processesWith, run, temporaryFolder, variables, withoutPostgres, withoutRedis } from './support/example.js'
import { until } from './support/until.js'

t.test('settings: what is left out has a default, nonsense is named', async (t) => {
  const { dataDir, ...rest } = readSettings({ PORT: ' ', PUBLIC_URL: '' })
  t.match(rest, { host: '127.0.0.1', port: 8_080, panels: 3, databaseUrl: undefined, redisUrl: undefined })
  t.match(rest.relay, { dataPort: '7350', publicHost: 'localhost', portRange: '20000-29999' })
  t.equal(dataDir, join(process.cwd(), '.data'))
  const wrong: Record<string, string[]> = {
    HOST: ['nonsense', '127.0.0.1:80'],
    PORT: ['x', '-1', '65536', '1e3'],
    PANELS: ['0', '17', 'three'],
    PUBLIC_URL: ['nonsense', 'ftp://x', 'http://localhost/path'],
    DATABASE_URL: ['mysql://x', 'nonsense'],
    REDIS_URL: ['http://x'],
    RELAY_DATA_PORT: ['x'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) t.throws(() => readSettings({ [name]: value }), { message: new RegExp(`^${name} `) })
  }
})

t.test('what a person must change is one line and 78, what fails is 1; nothing stays', async (t) => {
  const dataDir = await temporaryFolder(t)
  const fails = async (env: Record<string, string>, code: number, why: RegExp): Promise<void> => {
    const example = run(t, variables(dataDir, env))
    t.equal(await example.code, code, example.errors)
    t.match(example.errors, why)
    t.match(example.errors, /^It cannot start: [^\n]+\n$/)
    t.notMatch(example.errors, /correct horse/)
    t.equal(example.output, '')
  }
  await fails({ PORT: 'x' }, 78, /PORT must be/)
  const nowhere = { PATH: join(dataDir, 'nothing-here'), DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x' }
  await fails(nowhere, 78, /There is no redis-server on the PATH\. Install it .*, or set REDIS_URL/)
  await fails({ POSTGRES_BIN: dataDir }, 78, /POSTGRES_BIN/)
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await until('it listens', () => server.listening)
  await fails({ PORT: String((server.address() as { port: number }).port) }, 1, /EADDRINUSE/)
  const spoilt = join(dataDir, 'spoilt')
  await mkdir(spoilt)
  await writeFile(join(spoilt, 'secrets.json'), '{}')
  await fails({ DATA_DIR: spoilt }, 78, /secrets\.json is not what this example wrote/)
  t.same(await processesWith(dataDir), [])
})

t.test('a panel that cannot start ends it all, and says why', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const dataDir = await temporaryFolder(t)
  const example = run(t, variables(dataDir, { SMTP_URL: 'nonsense' }))
  t.equal(await example.code, 78, example.errors)
  t.match(example.errors, /It cannot start: panel 1 did not start.*SMTP_URL must be/s)
  t.same(await processesWith(dataDir), [])
})

t.test('a signal while it starts ends it', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const dataDir = await temporaryFolder(t)
  const example = run(t, variables(dataDir))
  await until('its database', async () => (await stat(join(dataDir, 'postgres', 'PG_VERSION'))).isFile())
  t.equal(await example.stop('SIGINT'), 0, example.errors)
  t.equal(example.errors, '')
  t.same(await processesWith(dataDir), [], 'nothing is left behind')
})

t.test('servers that are there already are used', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  t.teardown(async () => {
    await redis[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
  })
  const dataDir = await temporaryFolder(t)
  const own = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PANELS: '2', ADMIN_PASSWORD: '' }
  const example = run(t, variables(dataDir, own))
  const [, url = ''] = await example.line(/^Sallyport ready at (\S+)$/m)
  t.notMatch(example.output, /^(postgres|redis):/m)
  t.match(example.output, /^panel 2: /m)
  t.notMatch(example.output, /^panel 3: /m)
  const file = join(dataDir, 'secrets.json')
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.equal((await stat(join(dataDir, 'relay.json'))).mode & 0o777, 0o600)
  const { adminPassword: password } = JSON.parse(await readFile(file, 'utf8'))
  t.notMatch(example.output, new RegExp(password), 'it is said where the password is, and not what it is')
  const { user } = await ok(url, 'POST', '/api/auth/login', { body: { email: 'admin@localhost', password } })
  t.equal(user.email, 'admin@localhost')
  t.equal(await example.stop('SIGHUP'), 0, example.errors)
  t.same(await processesWith(dataDir), [])
})

t.test(
  'its own Postgres: of npm, for one run at a time, also after a kill',
  { skip: withoutPostgres || withoutRedis },
  async (t) => {
    const dataDir = await temporaryFolder(t)
    const own = { PANELS: '1', POSTGRES_BIN: await embeddedPostgres() }
    const example = run(t, variables(dataDir, own))
    await example.line(/^Sallyport ready at (\S+)$/m)
    t.match(example.output, /^postgres: process \d+$/m)
    const second = run(t, variables(dataDir, own))
    t.equal(await second.code, 78)
    t.match(second.errors, /It cannot start: .* is in use/)

    await example.stop('SIGKILL')
    const again = run(t, variables(dataDir, own))
    await again.line(/^Sallyport ready at (\S+)$/m)
    t.equal(await again.stop(), 0, again.errors)
    t.same(await processesWith(dataDir), [], 'what is killed takes its programs along')

    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '9\n')
    const other = run(t, variables(dataDir, own))
    t.equal(await other.code, 78)
    t.match(other.errors, /is of Postgres 9, and .* is \d+: set POSTGRES_BIN/)
  },
)

async function embeddedPostgres(): Promise<string> {
  const { embedded, findPostgres } = await import('../dist/postgres-programs.js')
  return embedded()[0] ?? findPostgres(undefined, {})
}
