import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { createOptions } from './embedded-options.js'

// Runs in a worker thread: see embedded-create.ts.
const { directory } = workerData as { directory: string | undefined }
const database = await PGlite.create(directory ?? 'memory://', createOptions)
if (directory === undefined) {
  const archive = await (await database.dumpDataDir('none')).arrayBuffer()
  parentPort?.postMessage(archive, [archive])
}
await database.close()
