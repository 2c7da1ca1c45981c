import assert from 'node:assert/strict'
import type { RelayStorage } from '../storage/storage.js'

/** What the suite needs of a test framework; `tap`, `node:test`, vitest and mocha all fit with a line of glue. */
export interface ContractRunner {
  test(name: string, body: () => Promise<void>): unknown
}

/** What only whoever made the driver can do to its place. Left out, what needs it is not tested. */
export interface ContractFaults {
  /** Puts something there that is no snapshot. */
  corrupt?: (place: string) => Promise<void>
  /** Makes every save fail; gives what mends it. */
  breakSaves?: (place: string) => Promise<() => Promise<void>>
}

/**
 * What every driver must keep to. `open` gives a storage on the same place each time it is called within one test and on a fresh
 * place for each new `place`. A driver whose data ends with the process
 * returns the same object for the same place.
 */
export function relayStorageContract(
  runner: ContractRunner,
  name: string,
  open: (place: string) => RelayStorage | Promise<RelayStorage>,
  faults: ContractFaults = {},
): void {
  let places = 0
  const withStorage = (
    title: string,
    body: (storage: RelayStorage, reopen: () => Promise<RelayStorage>, place: string) => Promise<void>,
  ) =>
    runner.test(`${name}: ${title}`, async () => {
      places += 1
      const place = `place-${places}`
      const opened: RelayStorage[] = []
      const openOne = async () => {
        const storage = await open(place)
        opened.push(storage)
        return storage
      }
      try {
        await body(await openOne(), openOne, place)
      } finally {
        for (const storage of new Set(opened)) await storage.close?.()
      }
    })

  withStorage('loads undefined when nothing was saved', async (storage) => {
    assert.equal(await storage.load(), undefined)
  })

  withStorage('loads what was saved', async (storage) => {
    await storage.save(SNAPSHOT)
    assert.deepEqual(await storage.load(), SNAPSHOT)
  })

  withStorage('keeps it for the next who opens it', async (storage, reopen) => {
    await storage.save(SNAPSHOT)
    assert.deepEqual(await (await reopen()).load(), SNAPSHOT)
  })

  withStorage('replaces the snapshot as a whole', async (storage) => {
    await storage.save({ a: 1, b: 'x'.repeat(100_000) })
    await storage.save({ c: 3 })
    assert.deepEqual(await storage.load(), { c: 3 })
  })

  withStorage('keeps the last of saves that were not awaited', async (storage) => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => storage.save({ n })))
    assert.deepEqual(await storage.load(), { n: 19 })
  })

  withStorage('keeps saves in order, whatever their sizes', async (storage) => {
    const sizes = [1_000_000, 1, 300_000, 10, 100_000, 0]
    await Promise.all(sizes.map((size, n) => storage.save({ n, filler: 'x'.repeat(size) })))
    assert.deepEqual(await storage.load(), { n: sizes.length - 1, filler: '' })
  })

  withStorage('never shows half a snapshot while saving', async (storage) => {
    const whole = (n: number) => ({ n, filler: Array.from({ length: 5_000 }, () => n) })
    await storage.save(whole(0))
    const saves = Array.from({ length: 10 }, (_, n) => storage.save(whole(n + 1)))
    for (let reads = 0; reads < 10; reads += 1) {
      const seen = (await storage.load()) as { n: number }
      assert.deepEqual(seen, whole(seen.n))
    }
    await Promise.all(saves)
  })

  withStorage('answers many who load at the same time', async (storage) => {
    await storage.save(SNAPSHOT)
    const loaded = await Promise.all(Array.from({ length: 20 }, () => storage.load()))
    for (const one of loaded) assert.deepEqual(one, SNAPSHOT)
  })

  withStorage('takes the snapshot as it was when save was called', async (storage) => {
    const snapshot = { list: [1] }
    const saved = storage.save(snapshot)
    snapshot.list.push(2)
    await saved
    assert.deepEqual(await storage.load(), { list: [1] })
    const loaded = (await storage.load()) as { list: number[] }
    loaded.list.push(3)
    assert.deepEqual(await storage.load(), { list: [1] })
  })

  withStorage('takes a snapshot of five megabytes', async (storage, reopen) => {
    const allocations = Array.from({ length: 50_000 }, (_, id) => ({ id, deviceId: 'd'.repeat(60), port: 20_000 }))
    await storage.save({ allocations })
    assert.deepEqual(await (await reopen()).load(), { allocations })
  })

  const { corrupt, breakSaves } = faults
  if (corrupt !== undefined)
    withStorage('names what cannot be read, and replaces it by the next save', async (storage, reopen, place) => {
      await storage.save(SNAPSHOT)
      await corrupt(place)
      const again = await reopen()
      await assert.rejects(again.load(), { code: 'RELAY_ERR_STORAGE_CORRUPT' })
      await again.save({ a: 1 })
      assert.deepEqual(await again.load(), { a: 1 })
    })

  if (breakSaves !== undefined)
    withStorage(
      'names a save that fails, keeps what was there and takes the next one',
      async (storage, _reopen, place) => {
        await storage.save({ n: 0 })
        const mend = await breakSaves(place)
        const failures = await Promise.allSettled([storage.save({ n: 1 }), storage.save({ n: 2 })])
        await mend()
        for (const failure of failures) {
          assert.equal(failure.status, 'rejected')
          assert.equal((failure.reason as { code?: unknown }).code, 'RELAY_ERR_STORAGE_WRITE')
        }
        assert.deepEqual(await storage.load(), { n: 0 })
        await storage.save({ n: 3 })
        assert.deepEqual(await storage.load(), { n: 3 })
      },
    )
}

const SNAPSHOT = {
  text: 'ünïcödé 🜨 \u0000 "quoted"',
  number: 9_007_199_254_740_991,
  nothing: null,
  flags: [true, false],
  nested: { list: [{ a: [] }, {}] },
}
