import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Child, startChild } from './child.js'
import { freePort } from './free-port.js'
import { findPostgres, type RunAs } from './postgres-programs.js'
import { ChildError } from './program.js'
import { SettingsError } from './settings.js'

export interface PostgresOptions {
  /** Its data is in `postgres` in there. */
  readonly dataDir: string
  readonly programs: string | undefined
  readonly password: string
  readonly say: (line: string) => void
}

const user = 'sallyport'
const database = 'sallyport'
/** Three panels of ten connections each, and room for people who look. */
const maxConnections = 60
const inUseMs = 5_000
const retryMs = 500
const unprivileged = { uid: 65_534, gid: 65_534 }

/** Starts a Postgres on loopback; makes its files at the first start. */
export async function startPostgres(options: PostgresOptions): Promise<{ url: string; child: Child }> {
  const runAs = process.getuid?.() === 0 ? unprivilegedUser() : {}
  const bin = findPostgres(options.programs, runAs)
  const data = join(options.dataDir, 'postgres')
  if (existsSync(join(data, 'PG_VERSION'))) assertVersion(bin, data)
  else initialise(bin, data, options, runAs)
  const port = await freePort()
  const args = ['-D', data, '-p', `${port}`, '-k', '', '-c', 'listen_addresses=127.0.0.1']
  const start = (): Promise<Child> =>
    startChild({
      ...{ name: 'postgres', command: join(bin, 'postgres'), say: options.say },
      args: [...args, '-c', `max_connections=${maxConnections}`],
      ready: /ready to accept connections/,
      // Does not wait until its clients leave.
      stopSignal: 'SIGINT',
      spawn: { ...runAs, cwd: '/' },
    })
  const child = await retryWhileInUse(start, data)
  return { url: `postgres://${user}:${options.password}@127.0.0.1:${port}/${database}`, child }
}

/** That of a run that was killed ends within moments. */
async function retryWhileInUse(start: () => Promise<Child>, data: string): Promise<Child> {
  const end = performance.now() + inUseMs
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof ChildError) || !/lock file "postmaster.pid"/.test(error.message)) throw error
      if (performance.now() > end) throw new SettingsError(`${data} is in use. Another run of this example?`)
      await delay(retryMs)
    }
  }
}

function initialise(bin: string, data: string, { dataDir, password }: PostgresOptions, runAs: RunAs): void {
  const passwordFile = join(dataDir, 'postgres.password')
  // What an attempt that was interrupted has left is no database.
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  try {
    if (runAs.uid !== undefined) for (const path of [data, passwordFile]) chownSync(path, runAs.uid, runAs.gid ?? 0)
    run(
      join(bin, 'initdb'),
      ['-D', data, '-U', user, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', `--pwfile=${passwordFile}`],
      runAs,
    )
    run(join(bin, 'postgres'), ['--single', '-D', data, 'postgres'], runAs, `CREATE DATABASE ${database}\n`)
  } catch (error) {
    rmSync(data, { recursive: true, force: true })
    throw error
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** One major version does not read another's files. */
function assertVersion(bin: string, data: string): void {
  const its = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { cwd: '/', encoding: 'utf8' })
  const [, mine = its] = /(\d+)(?:\.|devel|beta|rc|$)/m.exec(stdout) ?? []
  if (its === mine) return
  throw new SettingsError(
    `${data} is of Postgres ${its}, and ${bin} is ${mine}: set POSTGRES_BIN to a folder with that one, or remove ${data}`,
  )
}

function run(command: string, args: string[], runAs: RunAs, input = ''): void {
  const { status, stderr, error } = spawnSync(command, args, { ...runAs, cwd: '/', input, encoding: 'utf8' })
  if (status === 0) return
  const reason = error?.message ?? stderr.trim().split('\n').slice(-3).join(' ')
  const hint =
    runAs.uid === undefined ? '' : ' (as root: DATA_DIR must be where other users may enter, such as below /var/lib)'
  throw new SettingsError(`${command} failed: ${reason}${hint}`)
}

/** Debian's own, or `nobody`. */
function unprivilegedUser(): RunAs {
  const number = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout || Number.NaN)
  const [uid, gid] = [number('-u'), number('-g')]
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : unprivileged
}
