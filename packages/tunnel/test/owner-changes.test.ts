import type { Database, Sql } from '@sallyport/core'
import { createTestLogger } from '@sallyport/core/testing'
import t from 'tap'
import { createOwnerChanges } from '../dist/devices/owner-changes.js'
import { createOwners } from '../dist/devices/owners.js'

/** A database that fails so many times. */
function follow(failures: number, signal = new AbortController().signal) {
  const announced: string[][] = []
  const log = createTestLogger()
  let left = failures
  const database = {
    transaction(work: (transaction: object) => Promise<unknown>) {
      if (left === 0) return work({})
      left -= 1
      return Promise.reject(new Error('deadlock detected'))
    },
  } as unknown as Database
  const sql = (async (text: string) => (text.startsWith('DELETE') ? [] : [{ id: 'd1' }])) as unknown as Sql
  const nothing = async () => undefined
  const { follow: changed } = createOwnerChanges({
    database,
    sql,
    audit: { device: nothing, allocation: nothing },
    revocation: { announce: async (ids) => void announced.push([...ids]), listen: () => () => undefined },
    owners: createOwners(undefined),
    logger: log.logger,
    signal,
  })
  const errors = () => log.lines.filter(({ level }) => level >= 50).length
  return { changed, announced, errors }
}

t.test('a user who left is ended though the database fails at first', async (t) => {
  const { changed, announced, errors } = follow(2)
  await changed({ userId: 'u', change: 'suspended' })
  t.same(announced, [['d1']])
  t.equal(errors(), 0)
})

t.test('it never rejects, and a stop does not wait for other tries', async (t) => {
  const stop = new AbortController()
  const { changed, announced, errors } = follow(Number.POSITIVE_INFINITY, stop.signal)
  const ended = changed({ userId: 'u', change: 'deleted' })
  stop.abort()
  await ended
  t.same(announced, [])
  t.equal(errors(), 1)
})
