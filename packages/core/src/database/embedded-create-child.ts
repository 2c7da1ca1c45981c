import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'
import { createOptions } from './embedded-options.js'

const filesAtOnce = 16

// Runs in a process of its own: see embedded-create.ts.
const [, , directory = ''] = process.argv
// Said before the code of the database is there. To optimise it takes longer than the seconds for which it is needed.
setFlagsFromString('--liftoff-only')
process.once('disconnect', () => process.exit(1))
if (directory === '') {
  const database = await PGlite.create('memory://', createOptions)
  const archive = new Uint8Array(await (await database.dumpDataDir('none')).arrayBuffer())
  await database.close()
  await new Promise((resolve) => process.send?.(archive, resolve))
} else {
  const database = await PGlite.create(directory, createOptions)
  await database.close()
  await writeOut(directory)
}
process.exit(0)

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
