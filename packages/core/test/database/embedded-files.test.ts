import type { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { DurableFiles } from '../../dist/database/embedded-files.js'

interface Stream {
  readonly nfd: number
  readonly path: string
}

/** A descriptor that no file has: to write it out fails, which shows that it was tried. */
const nowhere = 1_000_000
const log: Stream = { nfd: nowhere, path: '/pglite/data/pg_wal/000000010000000000000001' }
const table: Stream = { nfd: nowhere, path: '/pglite/data/base/5/1259' }

/** Files attached to an engine that does `work` when it is given a message. */
async function attached(directory: string, work: (operations: Operations) => void) {
  const written: string[] = []
  const operations: Operations = {
    write(stream) {
      written.push(stream.path)
      return 1
    },
    close(stream) {
      written.push(`close ${stream.path}`)
    },
  }
  const files = new DurableFiles(directory)
  const { emscriptenOpts } = await files.init({} as PGlite, {})
  const hooks = emscriptenOpts.preRun as unknown as ((engine: unknown) => void)[]
  hooks.at(-1)?.({ NODEFS: { stream_ops: operations } })
  const database = { execProtocolRawStream: async () => work(operations) } as unknown as PGlite
  return { written, operations, run: () => files.durably(database, new Uint8Array(), () => undefined) }
}

interface Operations {
  fsync?: (stream: Stream) => number
  write(stream: Stream): number
  close(stream: Stream): void
}

t.test('an answer waits until the log is written out', async (t) => {
  let reached = false
  const { run } = await attached(t.testdir(), (operations) => {
    t.equal(operations.fsync?.(log), 0)
    reached = true
  })
  await t.rejects(run(), { code: 'EBADF' })
  t.ok(reached, 'it goes on meanwhile')
})

t.test('a table is written out at once', async (t) => {
  const { run, operations } = await attached(t.testdir(), ({ fsync }) => void fsync?.(table))
  await t.rejects(run(), { code: 'EBADF' })
  t.throws(() => operations.fsync?.(log), { code: 'EBADF' }, 'and so is the log outside of a query')
})

t.test('nothing is written to a table before the log is written out', async (t) => {
  const { run, written } = await attached(t.testdir(), ({ fsync, write }) => {
    write(table)
    fsync?.(log)
    write(log)
    write(table)
  })
  await t.rejects(run(), { code: 'EBADF' })
  t.same(written, [table.path, log.path])
})

t.test('a query that writes nothing waits for nothing', async (t) => {
  const { run } = await attached(t.testdir(), () => undefined)
  await run()
})

t.test('a piece of the log is written out before it is closed', async (t) => {
  const { run, written } = await attached(t.testdir(), ({ fsync, close }) => {
    fsync?.(log)
    close(log)
  })
  await t.rejects(run(), { code: 'EBADF' })
  t.same(written, [], 'and stays open when that fails')
})

t.test('nothing is done any more once the disk has failed', async (t) => {
  let messages = 0
  const { run } = await attached(t.testdir(), ({ fsync }) => {
    messages += 1
    if (messages === 1) fsync?.(log)
  })
  await t.rejects(run(), { code: 'EBADF' })
  await t.rejects(run(), { code: 'EBADF' }, 'Postgres counts on what is not there')
  t.equal(messages, 1)
})
