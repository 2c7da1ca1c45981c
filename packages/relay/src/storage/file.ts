import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RelayError } from '../errors.js'
import type { RelayStorage } from './storage.js'

const MAX_FILE_BYTES = 64 * 1024 * 1024

/**
 * Keeps the snapshot in one file, mode 0600, replaced as a whole (written aside, synced, renamed), so that a crash at any
 * moment leaves the old or the new one. A file that cannot be read is moved to `<path>.corrupt-<uuid>` and `load`
 * rejects once with RELAY_ERR_STORAGE_CORRUPT; other failures to read reject with the system's error.
 */
export function fileStorage(path: string): RelayStorage {
  let last: Promise<void> = Promise.resolve()
  return {
    load: () => load(path),
    save: (snapshot) => {
      const text = JSON.stringify(snapshot)
      const saved = last.then(() => replace(path, text))
      last = saved.catch(() => {})
      return saved
    },
    close: () => last,
  }
}

async function load(path: string): Promise<unknown | undefined> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > MAX_FILE_BYTES) return await setAside(path, `larger than ${MAX_FILE_BYTES} bytes`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the file, and the file holds a key.
    return await setAside(path, 'not JSON')
  }
}

async function setAside(path: string, why: string): Promise<never> {
  const aside = `${path}.corrupt-${randomUUID()}`
  await rename(path, aside)
  throw new RelayError('RELAY_ERR_STORAGE_CORRUPT', `${why}; kept as ${aside}`)
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    await unlink(temporary).catch(() => {})
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    throw new RelayError('RELAY_ERR_STORAGE_WRITE', (error as NodeJS.ErrnoException).code ?? 'unknown', {
      cause: error,
    })
  }
}

/** Makes the rename itself durable, where the system can (POSIX); elsewhere a directory cannot be opened. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    await directory.sync().finally(() => directory.close())
  } catch (error) {
    if (process.platform !== 'win32') throw error
  }
}
