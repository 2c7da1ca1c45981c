import { randomBytes, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dataDirUnusable, prepareDataDir, writeOutDirectory } from '../database/data-dir.js'
import { coreErrors } from '../errors.js'

const fileName = 'secret-keys'
const generatedKeyBytes = 32
/** A file that is larger holds no keys. */
const maxFileBytes = 64 * 1024

/**
 * Reads the secret keys of the data directory, one a line, newest first; makes the file with one random key, mode 0600,
 * when there is none. Processes that do so at once agree on one.
 * @throws `CORE_ERR_SECRET_KEYS_INVALID` when others may read the file: it is for a person to decide whether they have
 * @throws `CORE_ERR_DATA_DIR_UNUSABLE`
 */
export function readSecretKeys(dataDir: string): readonly string[] {
  const directory = prepareDataDir(dataDir)
  const path = join(directory, fileName)
  try {
    const text = readOnce(path) ?? generate(path)
    return text.split('\n').flatMap((line) => line.trim() || [])
  } catch (error) {
    if (coreErrors.SECRET_KEYS_INVALID.is(error)) throw error
    throw dataDirUnusable(directory, error)
  }
}

function readOnce(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
    throw invalid(`${path} has mode ${mode}: others may read it. Make it 0600, and change the keys if someone may have`)
  }
  if (stat.size > maxFileBytes) throw invalid(`${path} is larger than ${maxFileBytes} bytes`)
  return readFileSync(path, 'utf8')
}

function generate(path: string): string {
  const prepared = `${path}.${randomUUID()}`
  try {
    const key = randomBytes(generatedKeyBytes).toString('base64url')
    // On the disk before anything is encrypted with it.
    writeFileSync(prepared, `${key}\n`, { mode: 0o600, flag: 'wx', flush: true })
    linkSync(prepared, path)
    writeOutDirectory(dirname(path))
  } catch (error) {
    // Another process was first: its key is the one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(prepared, { force: true })
  }
  return readFileSync(path, 'utf8')
}

function invalid(reason: string): Error {
  return coreErrors.SECRET_KEYS_INVALID({ reason })
}
