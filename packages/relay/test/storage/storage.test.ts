import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  createRelay,
  fileStorage,
  type KeyvLike,
  keyvStorage,
  memoryStorage,
  type RelayStorage,
} from '../../dist/index.js'
import { readSnapshot } from '../../dist/state/snapshot.js'
import { relayStorageContract } from '../../dist/testing/index.js'
import { allocation } from '../support.js'

const runner = { test: (name: string, body: () => Promise<void>) => t.test(name, body) }
const directory = t.testdir({})
const KILLING_MS = 4_000

/** As much of a Keyv 5 as there has to be. */
class FakeKeyv implements KeyvLike {
  readonly throwOnErrors: boolean = true
  readonly values: Map<string, string> = new Map()
  readonly ttls: Set<number | undefined> = new Set()
  readonly listeners: Set<(error: unknown) => void> = new Set()
  fault: 'throw' | 'false' | 'event' | 'hang' | undefined

  async get(key: string): Promise<unknown> {
    await this.#fail()
    return this.fault === 'event' ? undefined : this.values.get(key)
  }

  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    // A network takes longer for more.
    await new Promise((resolve) => setTimeout(resolve, value.length / 100_000))
    await this.#fail()
    if (this.fault !== undefined) return this.fault !== 'false'
    this.ttls.add(ttl)
    this.values.set(key, value)
    return true
  }

  on(_event: 'error', listener: (error: unknown) => void): void {
    this.listeners.add(listener)
  }

  off(_event: 'error', listener: (error: unknown) => void): void {
    this.listeners.delete(listener)
  }

  async #fail(): Promise<void> {
    if (this.fault === 'throw') throw new Error('broken')
    if (this.fault === 'event') for (const listener of this.listeners) listener(new Error('broken'))
    if (this.fault === 'hang') await new Promise(() => {})
  }
}

const memories = new Map<string, RelayStorage>()
relayStorageContract(runner, 'memory', (place) => {
  const storage = memories.get(place) ?? memoryStorage()
  memories.set(place, storage)
  return storage
})
relayStorageContract(runner, 'file', (place) => fileStorage(join(directory, place, 'relay.json')), {
  corrupt: (place) => writeFile(join(directory, place, 'relay.json'), '{"half":'),
  breakSaves: async (place) => {
    // In the way of what is written aside; a right that is missing would not stop root.
    const inTheWay = join(directory, place, 'relay.json.tmp')
    await mkdir(inTheWay)
    return () => rmdir(inTheWay)
  },
})

const maps = new Map<string, FakeKeyv>()
const keyvAt = (place: string) => {
  const keyv = maps.get(place) ?? new FakeKeyv()
  maps.set(place, keyv)
  return keyv
}
relayStorageContract(runner, 'keyv', (place) => keyvStorage(keyvAt(place)), {
  corrupt: async (place) => void keyvAt(place).values.set('sallyport-relay', '{"half":'),
  breakSaves: async (place) => {
    keyvAt(place).fault = 'throw'
    return async () => {
      keyvAt(place).fault = undefined
    }
  },
})

t.test('keyv: every way in which a store fails is told', async (t) => {
  for (const fault of ['throw', 'false', 'event', 'hang'] as const) {
    const keyv = new FakeKeyv()
    const storage = keyvStorage(keyv, { key: 'mine', timeoutMs: 20 })
    await storage.save({ n: 1 })
    keyv.fault = fault
    await t.rejects(storage.save({ n: 2 }), { code: 'RELAY_ERR_STORAGE_WRITE' }, fault)
    if (fault === 'hang') await t.rejects(storage.load(), { code: 'ETIMEDOUT' })
    else if (fault !== 'false') await t.rejects(storage.load(), /broken/, 'that is not the same as nothing stored')
    keyv.fault = undefined
    t.same(await storage.load(), { n: 1 })
    t.equal(keyv.listeners.size, 0)
    t.same([...keyv.ttls], [0], "it does not expire, whatever the Keyv's own ttl")
  }
  t.throws(() => keyvStorage(Object.assign(new FakeKeyv(), { throwOnErrors: false })), {
    code: 'RELAY_ERR_INVALID_OPTION',
  })
})

t.test('file: only the owner may read it', async (t) => {
  const path = join(directory, 'mode', 'relay.json')
  await fileStorage(path).save({ secret: 1 })
  t.equal((await stat(path)).mode & 0o777, 0o600)
})

t.test('file: one that cannot be read is named and kept aside', async (t) => {
  for (const content of ['{"half":', '\0\0\0', '']) {
    const place = await newPlace()
    const path = join(place, 'relay.json')
    await writeFile(path, content)
    const storage = fileStorage(path)
    const error = await storage.load().then(
      () => undefined,
      (cause: { code?: string; message: string }) => cause,
    )
    t.match(error, { code: 'RELAY_ERR_STORAGE_CORRUPT' })
    const [aside = ''] = await readdir(place)
    t.match(aside, /^relay\.json\.corrupt-/)
    t.match(error?.message, aside, 'the error says where')
    t.equal(await readFile(join(place, aside), 'utf8'), content)
    t.equal(await storage.load(), undefined)
  }
})

t.test('file: a relay whose file is corrupt starts without it', async (t) => {
  for (const content of ['{"half":', '{"version":1}', '[]', '{"version":99}']) {
    const path = join(await newPlace(), 'relay.json')
    await writeFile(path, content)
    const relay = createRelay({ dataPort: 0, storage: fileStorage(path) })
    await relay.start()
    await relay.apply({ revision: 1, allocations: [allocation(1, 9)] })
    await relay.stop()
    const again = createRelay({ dataPort: 0, storage: fileStorage(path) })
    await again.start()
    t.match(again.status(), { revision: 1, allocations: [{ allocationId: 1, status: 'listening' }] })
    await again.stop()
  }
})

t.test('a key that could be guessed is none', async (t) => {
  const storage = memoryStorage()
  const relay = createRelay({ dataPort: 0, storage })
  await relay.start()
  t.equal(relay.ticketKey.length, 32)
  await relay.stop()
  const stored = (await storage.load()) as Record<string, unknown>
  for (const ticketKey of ['', 'AAAA', 'A'.repeat(42)]) t.throws(() => readSnapshot({ ...stored, ticketKey }, relay.id))
  t.ok(readSnapshot(stored, relay.id).ticketKey)
})

t.test('file: a directory in its place is an error of its own', async (t) => {
  const path = join(await newPlace(), 'relay.json')
  await mkdir(path)
  await t.rejects(fileStorage(path).load(), { code: 'EISDIR' })
  await t.rejects(fileStorage(path).save({}), { code: 'RELAY_ERR_STORAGE_WRITE' })
})

t.test('file: killed at any moment, it holds the last whole snapshot', async (t) => {
  const place = await newPlace()
  const path = join(place, 'relay.json')
  const entry = new URL('../../dist/storage/file.js', import.meta.url).href
  // Two saves at a time, small and large ones; each that is done is told.
  const script = `
    import { fileStorage } from ${JSON.stringify(entry)}
    const storage = fileStorage(${JSON.stringify(path)})
    let n = (await storage.load())?.n ?? 0
    process.stdout.write('started\\n')
    for (;;) {
      n += 1
      const size = n % 3 === 0 ? 100_000 : 100
      const save = storage.save({ n, filler: Array.from({ length: size }, () => n) })
      const next = storage.save({ n: (n += 1), filler: [n] })
      await save
      process.stdout.write((n - 1) + '\\n')
      await next
      process.stdout.write(n + '\\n')
    }`
  const deadline = performance.now() + KILLING_MS
  let kills = 0
  let stored = 0
  // A child may take a second to start, and the first ones are killed before they have stored anything.
  const enough = () => performance.now() >= deadline && kills >= 3 && stored > 0
  while (!enough() && performance.now() < deadline + 30_000) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk
    })
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120))
    child.kill('SIGKILL')
    await once(child, 'close')
    kills += 1
    // The last line may be cut short.
    const lines = told.split('\n').slice(0, -1)
    const done = Math.max(stored, ...lines.slice(1).map(Number))
    const seen = (await fileStorage(path).load()) as { n: number; filler: number[] } | undefined
    if (seen === undefined) {
      t.equal(done, 0, 'nothing was stored yet')
      continue
    }
    stored = seen.n
    t.ok(seen.n >= done, `${seen.n} is no older than ${done}, which was told to be stored`)
    t.ok(seen.filler.every((value) => value === seen.n) && [1, 100, 100_000].includes(seen.filler.length))
  }
  t.ok(kills >= 3 && stored > 0, `${kills} kills, ${stored} snapshots`)
  t.ok((await readdir(place)).length <= 2, 'nothing piles up: the file, and one that was being written')
})

let places = 0
async function newPlace(): Promise<string> {
  places += 1
  const place = join(directory, `own-${places}`)
  await mkdir(place)
  return place
}
