import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { createOptions } from './embedded-options.js'

const filesAtOnce = 16

// Runs in a worker thread: see embedded-create.ts.
const { directory } = workerData as { directory: string | undefined }
const database = await PGlite.create(directory ?? 'memory://', createOptions)
if (directory === undefined) {
  const archive = await (await database.dumpDataDir('none')).arrayBuffer()
  parentPort?.postMessage(archive, [archive])
}
await database.close()
if (directory !== undefined) await writeOut(directory)

/** Has all of it on the disk before it is given its name. */
async function writeOut(path: string): Promise<void> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const paths = [path, ...entries.map(({ parentPath, name }) => join(parentPath, name))]
  const next = async (): Promise<void> => {
    for (let file = paths.pop(); file !== undefined; file = paths.pop()) {
      const handle = await open(file, 'r')
      await handle.sync().finally(() => handle.close())
    }
  }
  await Promise.all(Array.from({ length: filesAtOnce }, next))
}
