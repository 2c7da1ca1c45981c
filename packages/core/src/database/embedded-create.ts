import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Longest time that it may take; on a slow machine it takes ten seconds. */
const timeoutMs = 180_000
/** Of what the process says on its standard error, so much is kept. */
const maxComplaint = 1_000

/**
 * Makes the files of a new database. In a process of its own: `initdb` takes 800 MB for three seconds, which this
 * process would not give back whole, and keeps the event loop busy.
 * @param directory empty or not there yet; without one the files are given as an archive
 * @param signal ends it half-way
 */
export async function createDatabaseFiles(directory = '', signal?: AbortSignal): Promise<Uint8Array | undefined> {
  const child = fork(new URL('./embedded-create-child.js', import.meta.url), [directory], {
    execArgv: [],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let archive: Uint8Array | undefined
  let complaint = ''
  child.on('message', (message) => {
    archive = message as Uint8Array
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(0, maxComplaint)
  })
  const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) {
    const reason = /^\w*Error: .*$/m.exec(complaint)?.[0] ?? `${killedBy ?? `code ${code}`}`
    throw new Error(`making the database ended with ${reason}`)
  }
  return archive
}
