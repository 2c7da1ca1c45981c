// What a person sees who starts the panel wrongly: one clear line, exit 78, nothing half-made.
import { access, mkdir, readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../../packages/relay/dist-test/free-port.js'
import { event, within } from '../support/deadline.js'
import { adminPassword, panelEnvironment, serverFile, startPanel, temporaryDirectory } from '../support/panel.js'
import { type Program, startProgram } from '../support/program.js'
import { postgresServer, withoutPostgres } from '../support/real-servers.js'

const secret = 'do-not-show-this-password'
const nonsense: readonly [variable: string, value: string][] = [
  ['HOST', 'not a host'],
  ['HOST', '999.1.1.1'],
  ['PORT', 'eighty'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PUBLIC_URL', 'panel.example.com'],
  ['PUBLIC_URL', 'ftp://panel.example.com'],
  ['PUBLIC_URL', 'https://panel.example.com/panel'],
  ['DATABASE_URL', `mysql://user:${secret}@localhost/db`],
  ['DATABASE_URL', secret],
  ['REDIS_URL', `http://user:${secret}@localhost`],
  ['SECRET_KEYS', secret],
  ['SECRET_KEYS', `${'k'.repeat(32)},${secret}`],
  ['SECRET_KEYS', `${secret}-${secret},${secret}-${secret}`],
  ['ADMIN_EMAIL', 'nobody'],
  ['ADMIN_EMAIL', 'no\u0001body@localhost'],
  ['ADMIN_PASSWORD', 'short'],
  ['SMTP_URL', `imap://user:${secret}@localhost`],
  ['TRUSTED_PROXIES', '10.0.0.0/33'],
  ['TRUSTED_PROXIES', 'everyone'],
  ['RELAY_EMBEDDED', 'yes'],
  ['RELAY_PUBLIC_HOST', 'http://relay'],
  ['RELAY_BIND_HOST', '1.2.3'],
  ['RELAY_BIND_HOST', 'nowhere.invalid'],
  ['RELAY_BIND_HOST', '192.0.2.1'],
  ['RELAY_PORT_RANGE', '20000'],
  ['RELAY_PORT_RANGE', '30000-20000'],
  ['RELAY_PORT_RANGE', '0-70000'],
  ['RELAY_DATA_PORT', 'any'],
  ['TUNNELS_ENABLED', '1'],
  ['WEBHOOK_URL', 'ftp://example.com/hook'],
  ['WEBHOOK_URL', `https://user:${secret}@example.com/`],
  ['WEBHOOK_URL', 'https://example.com/without-a-secret'],
  ['WEBHOOK_SECRET', 'too short'],
  ['WEBHOOK_SECRET', `${secret} without a URL, of many characters`],
]

const started = new Set<Program>()
// A start that never ends must not outlive the test that found it.
t.teardown(() => Promise.all([...started].map((program) => program.stop('SIGKILL'))))

function start(env: Readonly<Record<string, string>>): Program {
  const program = startProgram(process.execPath, [serverFile], { env })
  started.add(program)
  program.exited.then(() => started.delete(program))
  return program
}

t.test('nonsense in a variable: one line that names it, exit 78, no data directory', async (t) => {
  const directory = await temporaryDirectory(t)
  for (const [variable, value] of nonsense) {
    const dataDir = join(directory, 'data')
    const program = start(panelEnvironment(dataDir, { [variable]: value }))
    t.match(await within(`the end with ${variable}=${value}`, program.exited), { code: 78 }, `${variable}=${value}`)
    t.match(program.stderr, new RegExp(`^Sallyport cannot start: .*\\b${variable}\\b.*\\n$`))
    t.equal(program.stdout, '')
    t.notMatch(program.stderr, secret)
    await t.rejects(access(dataDir))
  }
})

t.test('a DATA_DIR that cannot be written', async (t) => {
  const directory = await temporaryDirectory(t)
  const file = join(directory, 'file')
  await writeFile(file, 'not a directory')
  for (const dataDir of [join(file, 'data'), file, '/proc/sallyport']) {
    const program = start(panelEnvironment(dataDir))
    t.match(await program.exited, { code: 78 }, dataDir)
    t.match(program.stderr, /^Sallyport cannot start: .*data directory.*\n$/)
  }
})

t.test('a port that is taken', async (t) => {
  const directory = await temporaryDirectory(t)
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await event(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  for (const variable of ['PORT', 'RELAY_DATA_PORT']) {
    const dataDir = join(directory, variable)
    const program = start(panelEnvironment(dataDir, { [variable]: String(port) }))
    t.match(await program.exited, { code: 78 }, variable)
    t.match(program.stderr, new RegExp(`^Sallyport cannot start: .*\\b${variable}\\b.*${port}.*\\n$`))
    t.equal(program.stdout, '')
    await t.rejects(access(dataDir), 'nothing was written')
  }
})

t.test('a data directory that another panel uses', async (t) => {
  const directory = await temporaryDirectory(t)
  const env = panelEnvironment(join(directory, 'data'))
  const panel = await startPanel(t, env)
  const second = start(env)
  t.match(await second.exited, { code: 78 })
  t.match(second.stderr, new RegExp(`^Sallyport cannot start: .*in use by process ${panel.program.child.pid}\\b.*\\n$`))
  t.match(await panel.program.stop(), { code: 0 })
})

t.test('a database or Redis out of reach', async (t) => {
  const directory = await temporaryDirectory(t)
  const port = await freePort()
  const urls = {
    DATABASE_URL: `postgres://user:${secret}@127.0.0.1:${port}/db`,
    REDIS_URL: `redis://user:${secret}@127.0.0.1:${port}`,
  }
  for (const [variable, url] of Object.entries(urls)) {
    const program = start(panelEnvironment(join(directory, variable), { [variable]: url }))
    t.match(await within('the end', program.exited, 30_000), { code: 78 }, variable)
    t.match(program.stderr, /^Sallyport cannot start: .*cannot be reached.*\n$/)
    t.notMatch(program.stderr, secret)
  }
})

t.test('a database of a newer schema is left as it is', { skip: withoutPostgres }, async (t) => {
  const postgres = await postgresServer(t)
  const directory = await temporaryDirectory(t)
  const env = panelEnvironment(join(directory, 'data'), { DATABASE_URL: postgres.url })
  const panel = await startPanel(t, env)
  t.match(await panel.program.stop(), { code: 0 })
  const { default: pg } = await import('pg')
  const client = new pg.Client(postgres.url)
  await client.connect()
  await client.query(
    `INSERT INTO sallyport_migrations (plugin, name) SELECT plugin, '9999-from-the-future' FROM sallyport_migrations WHERE plugin = '@sallyport/tunnel' LIMIT 1`,
  )
  const tables = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`
  const before = await client.query(tables)
  const program = start(env)
  t.match(await program.exited, { code: 78 })
  t.match(program.stderr, /^Sallyport cannot start: .*newer.*@sallyport\/tunnel.*9999-from-the-future.*\n$/)
  t.same((await client.query(tables)).rows, before.rows)
  await client.end()
})

t.test('keys and password are made once and kept to the owner', async (t) => {
  const directory = await temporaryDirectory(t)
  const dataDir = join(directory, 'data')
  const { ADMIN_PASSWORD: _, ...env } = panelEnvironment(dataDir)
  const first = await startPanel(t, env)
  const [, password = ''] = await first.program.line(/admin@localhost, password: (\S+)/)
  t.ok(password.length >= 16)
  t.notMatch(first.program.stderr, password, 'it is not in the log')
  t.match(await first.program.stop(), { code: 0 })
  const modes = await Promise.all((await readdir(dataDir)).map(async (name) => [name, await mode(join(dataDir, name))]))
  t.same(
    modes.filter(([, bits]) => (Number(bits) & 0o077) !== 0),
    [],
    'nothing for others to read',
  )

  const second = await startPanel(t, env)
  t.notMatch(second.program.stdout, /password/, 'said only once')
  const body = JSON.stringify({ email: 'ADMIN@localhost', password })
  const answer = await fetch(`${second.url}/api/auth/login`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  t.equal(answer.status, 200)
  t.match(await second.program.stop(), { code: 0 })
})

async function mode(path: string): Promise<number> {
  const { stat } = await import('node:fs/promises')
  return (await stat(path)).mode
}

t.test('a panel with the relay left out still serves, and says so when asked for a tunnel', async (t) => {
  const directory = await temporaryDirectory(t)
  await mkdir(join(directory, 'data'))
  const panel = await startPanel(t, panelEnvironment(join(directory, 'data'), { RELAY_EMBEDDED: 'false' }))
  const ready = await fetch(`${panel.url}/api/health/ready`)
  t.equal(ready.status, 200)
  t.notMatch(panel.program.stdout, adminPassword)
  t.match(await panel.program.stop(), { code: 0 })
})
