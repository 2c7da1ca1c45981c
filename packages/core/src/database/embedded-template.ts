import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createDatabaseFiles } from './embedded-create.js'
import { createOptions } from './embedded-options.js'

/**
 * Gives the files of an empty database for databases in memory. Making them takes three seconds, reading them a tenth
 * of one, so they are kept in a directory of this user's below the system's for temporary files.
 */
export async function memoryTemplate(): Promise<Uint8Array<ArrayBuffer>> {
  const directory = cacheDirectory()
  const path = directory && join(directory, `${fingerprint()}.tar`)
  const kept = path && readKept(path)
  if (kept) return kept
  const made = new Uint8Array((await createDatabaseFiles()) ?? [])
  if (path) keep(path, made)
  return made
}

/** One that is not this user's alone is not used: its files would be run. */
function cacheDirectory(): string | undefined {
  const { uid } = userInfo()
  const directory = join(tmpdir(), `sallyport-${uid}`)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const stat = lstatSync(directory)
    const own = process.platform === 'win32' || (stat.uid === uid && (stat.mode & 0o077) === 0)
    return stat.isDirectory() && own ? directory : undefined
  } catch {
    return undefined
  }
}

function readKept(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(readFileSync(path))
  } catch {
    return undefined
  }
}

function keep(path: string, archive: Uint8Array): void {
  const written = `${path}.${process.pid}`
  try {
    writeFileSync(written, archive, { mode: 0o600, flag: 'wx' })
    renameSync(written, path)
  } catch {
    rmSync(written, { force: true })
  }
}

function fingerprint(): string {
  const engine = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const parts = [readFileSync(engine), JSON.stringify(createOptions)]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').slice(0, 32)
}
