import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Makes the files of a new database. In a thread of its own: `initdb` needs 600 MB for three seconds, which this
 * process would otherwise keep, and keeps the event loop busy.
 * @param directory empty or not there yet; `undefined` for none
 * @returns without a directory: the files, as an archive
 */
export async function createDatabaseFiles(directory?: string): Promise<ArrayBuffer | undefined> {
  const worker = new Worker(new URL('./embedded-create-worker.js', import.meta.url), {
    workerData: { directory },
    execArgv: [],
  })
  let archive: ArrayBuffer | undefined
  worker.on('message', (message: ArrayBuffer) => {
    archive = message
  })
  const [code] = (await once(worker, 'exit')) as [number]
  if (code !== 0) throw new Error(`making the database ended with code ${code}`)
  return archive
}
