import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { coreErrors } from '../errors.js'
import type { SallyportError } from '../kernel/errors.js'

/** The data directory that means none: everything in memory, gone at the end. For tests. */
export const memoryDataDir = 'memory://'
export const defaultDataDir = './.data'

const privateMode = 0o700

/**
 * Makes the data directory, and those above, where they are missing (mode 0700; one that is there keeps its own mode).
 * @returns its absolute path
 * @throws `CORE_ERR_DATA_DIR_UNUSABLE`
 */
export function prepareDataDir(path: string): string {
  const directory = resolve(path)
  try {
    makeDirectory(directory)
    if (!statSync(directory).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
  } catch (error) {
    throw dataDirUnusable(directory, error)
  }
  return directory
}

/** Not mkdir's `recursive`: in /proc, for one, that tries for ever. */
function makeDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })) return
  makeDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: privateMode })
    // mkdir's mode is narrowed by the umask, which may leave the owner without access.
    chmodSync(directory, privateMode)
  } catch (error) {
    // Another process was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Has the names in a directory on the disk. Windows has no such thing. */
export function writeOutDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const file = openSync(directory, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ENOENT: 'it cannot be made there',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EDQUOT: 'no space is left within the quota',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it is not a directory',
  ENAMETOOLONG: 'the path is too long',
}

/** Gives the error for a data directory in which something failed. */
export function dataDirUnusable(directory: string, error: unknown): SallyportError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  const reason = (code && reasons[code]) ?? code ?? (error instanceof Error ? error.message : String(error))
  return coreErrors.DATA_DIR_UNUSABLE({ directory, reason }, { cause: error })
}
