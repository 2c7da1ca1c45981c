import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createRelay, fileStorage, memoryStorage, type RelayStorage } from '../dist/index.js'
import { relayStorageContract } from '../dist/testing/index.js'
import { allocation } from './support.js'

const runner = { test: (name: string, body: () => Promise<void>) => t.test(name, body) }
const directory = t.testdir({})

const memories = new Map<string, RelayStorage>()
relayStorageContract(runner, 'memory', (place) => {
  const storage = memories.get(place) ?? memoryStorage()
  memories.set(place, storage)
  return storage
})
relayStorageContract(runner, 'file', (place) => fileStorage(join(directory, place, 'relay.json')))

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

t.test('file: a directory in its place is an error of its own', async (t) => {
  const path = join(await newPlace(), 'relay.json')
  await mkdir(path)
  await t.rejects(fileStorage(path).load(), { code: 'EISDIR' })
  await t.rejects(fileStorage(path).save({}), { code: 'RELAY_ERR_STORAGE_WRITE' })
})

t.test('file: killed while saving, it holds one of the snapshots as a whole', async (t) => {
  const path = join(await newPlace(), 'relay.json')
  const entry = new URL('../dist/storage/file.js', import.meta.url).href
  const script = `
    import { fileStorage } from ${JSON.stringify(entry)}
    const storage = fileStorage(${JSON.stringify(path)})
    for (let n = 0; ; n += 1) {
      await storage.save({ n, filler: Array.from({ length: 20000 }, () => n) })
      process.stdout.write('.')
    }`
  for (let kills = 0; kills < 5; kills += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const seen = (await fileStorage(path).load()) as { n: number; filler: number[] }
    t.ok(seen.filler.length === 20_000 && seen.filler.every((value) => value === seen.n))
  }
})

let places = 0
async function newPlace(): Promise<string> {
  places += 1
  const place = join(directory, `own-${places}`)
  await mkdir(place)
  return place
}
