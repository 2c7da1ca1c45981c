import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { coreErrors } from '../errors.js'
import { dataDirUnusable, memoryDataDir, prepareDataDir, writeOutDirectory } from './data-dir.js'
import { lockDataDir } from './data-dir-lock.js'
import { createDatabaseFiles } from './embedded-create.js'
import { DurableFiles } from './embedded-files.js'
import { fileOptions, memoryOptions } from './embedded-options.js'
import { memoryTemplate } from './embedded-template.js'

export interface EmbeddedEngine {
  readonly database: PGlite
  /** `undefined` when it is in memory. */
  readonly files: DurableFiles | undefined
  close(): Promise<void>
}

/**
 * Opens, and at first makes, the Postgres in the data directory.
 * @throws `CORE_ERR_DATA_DIR_UNUSABLE`, `CORE_ERR_DATA_DIR_LOCKED`, `CORE_ERR_DATABASE_CORRUPT`
 */
export async function openEmbedded(dataDir: string, signal: AbortSignal): Promise<EmbeddedEngine> {
  if (dataDir === memoryDataDir) {
    const archive = new Blob([await memoryTemplate()])
    const database = await PGlite.create(memoryDataDir, { ...memoryOptions, loadDataDir: archive })
    return { database, files: undefined, close: () => database.close() }
  }
  const directory = prepareDataDir(dataDir)
  let files: DurableFiles | undefined
  const onLost = (): void => files?.fail(new Error('Another process has taken over the data directory'))
  const unlock = await lockDataDir(directory, undefined, onLost)
  try {
    const path = join(directory, 'postgres')
    if (!isMade(path)) await make(directory, path, signal)
    const durable = new DurableFiles(path)
    files = durable
    const database = await open(path, durable)
    // Closing writes what is in memory into the tables: not after a failure, the log then has what counts.
    const close = async (): Promise<void> => (durable.failed ? undefined : database.close())
    return { database, files: durable, close: () => close().finally(unlock) }
  } catch (error) {
    unlock()
    throw error
  }
}

function isMade(path: string): boolean {
  return existsSync(path) && readdirSync(path).length > 0
}

/** Made beside and then renamed, so that whatever is under the final name is whole. */
async function make(directory: string, path: string, signal: AbortSignal): Promise<void> {
  const prefix = 'postgres.new-'
  const made = join(directory, `${prefix}${randomUUID()}`)
  try {
    for (const name of readdirSync(directory)) {
      if (name.startsWith(prefix)) rmSync(join(directory, name), { recursive: true, force: true })
    }
    await createDatabaseFiles(made, signal)
    chmodSync(made, 0o700)
    rmSync(path, { recursive: true, force: true })
    renameSync(made, path)
    writeOutDirectory(directory)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    throw dataDirUnusable(directory, error)
  }
}

async function open(path: string, files: DurableFiles): Promise<PGlite> {
  // Were it missing, PGlite would take the directory for a new one and write over what is left of the old.
  if (!existsSync(join(path, 'PG_VERSION'))) throw corrupt(path, 'it has no PG_VERSION')
  const complaints: string[] = []
  const onStderr = (line: string): boolean => {
    const complaint = /(?:FATAL|PANIC|DETAIL): +(.+)/.exec(line)?.[1]
    if (complaint && complaints.length < 3) complaints.push(complaint)
    return false
  }
  const { exitCode } = process
  try {
    return await PGlite.create({ ...fileOptions, fs: files, onStderr })
  } catch (error) {
    const reason = complaints.join('; ') || (error instanceof Error ? error.message : String(error))
    throw corrupt(path, reason, error)
  } finally {
    // The engine's exit sets it; whether this process fails is not the engine's to say.
    process.exitCode = exitCode
  }
}

function corrupt(directory: string, reason: string, cause?: unknown): Error {
  return coreErrors.DATABASE_CORRUPT({ directory, reason }, { cause })
}
