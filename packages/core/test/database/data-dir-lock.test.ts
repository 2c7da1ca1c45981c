import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lockDataDir } from '../../dist/database/data-dir-lock.js'
import { livenessOf, ownIdentity } from '../../dist/database/process-identity.js'
import { eventually } from '../support/eventually.js'
import { rejection } from '../support/reject.js'

// Servers and databases start slowly on a busy machine.
t.setTimeout(120_000)

const contender = new URL('../support/lock-contender.js', import.meta.url)

/** A lock that a process left behind which is no more. */
function leaveLock(directory: string, change: object = {}): void {
  const { pid } = spawnSync(process.execPath, ['--version'])
  const lock = { ...ownIdentity(), pid, started: '1', token: 'of-the-dead', ...change }
  writeFileSync(join(directory, 'lock'), JSON.stringify(lock))
}

t.test('one at a time, and again when it is given back', async (t) => {
  const directory = t.testdir()
  const unlock = await lockDataDir(directory)
  const error = await rejection(lockDataDir(directory))
  t.equal(error.code, 'CORE_ERR_DATA_DIR_LOCKED')
  t.match(error.message, String(process.pid))
  unlock()
  t.notOk(existsSync(join(directory, 'lock')))
  const again = await lockDataDir(directory)
  again()
  t.same(readdirSync(directory), [])
})

t.test('giving back twice leaves the next holder its lock', async (t) => {
  const directory = t.testdir()
  const first = await lockDataDir(directory)
  first()
  const second = await lockDataDir(directory)
  first()
  t.ok(existsSync(join(directory, 'lock')))
  second()
})

t.test('a dead process’s lock is taken over', async (t) => {
  const directory = t.testdir()
  leaveLock(directory)
  const unlock = await lockDataDir(directory)
  t.match(readFileSync(join(directory, 'lock'), 'utf8'), `"pid":${process.pid}`)
  unlock()
  t.same(readdirSync(directory), [])
})

t.test('a process that was given a dead one’s number is not it', async (t) => {
  t.equal(livenessOf(ownIdentity()), 'alive')
  t.equal(livenessOf({ ...ownIdentity(), started: '1' }), 'dead')
  const directory = t.testdir()
  leaveLock(directory, { pid: process.pid })
  const unlock = await lockDataDir(directory)
  unlock()
})

t.test('says when the lock was taken over by another all the same', async (t) => {
  const directory = t.testdir()
  let lost = false
  const unlock = await lockDataDir(directory, undefined, () => {
    lost = true
  })
  leaveLock(directory, { token: 'of-another' })
  await eventually(() => lost)
  unlock()
  t.match(readFileSync(join(directory, 'lock'), 'utf8'), 'of-another', 'and leaves it alone')
})

t.test('a lock of another container or host', async (t) => {
  await t.test('that is touched no more is taken over', async (t) => {
    const directory = t.testdir()
    leaveLock(directory, { realm: 'elsewhere' })
    const unlock = await lockDataDir(directory, 600)
    unlock()
  })
  await t.test('that is touched is held', async (t) => {
    const directory = t.testdir()
    const unlock = await lockDataDir(directory)
    const lock = JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')) as object
    writeFileSync(join(directory, 'lock'), JSON.stringify({ ...lock, realm: 'elsewhere' }))
    t.equal((await rejection(lockDataDir(directory, 6_000))).code, 'CORE_ERR_DATA_DIR_LOCKED')
    unlock()
  })
})

t.test('a damaged lock does not lock for ever', async (t) => {
  for (const text of ['', '{', 'null', '{"pid":1}']) {
    const directory = t.testdir()
    writeFileSync(join(directory, 'lock'), text)
    const unlock = await lockDataDir(directory, 300)
    unlock()
  }
})

t.test('of several processes that take over at once, one succeeds', async (t) => {
  const directory = t.testdir()
  leaveLock(directory)
  const count = 6
  const children = Array.from({ length: count }, () => fork(contender, [directory]))
  const say = (what: string): Promise<unknown[]> =>
    Promise.all(children.map(async (child) => ((await once(child, 'message')) as [{ [what]: unknown }])[0]))
  const ready = say('ready')
  await ready
  const results = say('result')
  for (const child of children) child.send('go')
  const taken = ((await results) as { result: string }[]).map(({ result }) => result)
  t.same(taken.filter((result) => result === 'taken').length, 1, taken.join())
  t.same(taken.filter((result) => result === 'CORE_ERR_DATA_DIR_LOCKED').length, count - 1)
  const exits = children.map((child) => once(child, 'exit'))
  for (const child of children) child.send('end')
  await Promise.all(exits)
  t.same(readdirSync(directory), [])
})

t.test('a directory that cannot be written is said to be unusable', async (t) => {
  const error = await rejection(lockDataDir(join(t.testdir(), 'missing')))
  t.equal(error.code, 'CORE_ERR_DATA_DIR_UNUSABLE')
})
