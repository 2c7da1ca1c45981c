import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type ConfigInput, createKernel, createLogger, Keyring, type KeyringConfig, keyring } from '../../dist/index.js'
import { createKeyring } from '../../dist/security/key-derivation.js'
import { readSecretKeys } from '../../dist/security/secret-keys-file.js'
import { needs } from '../support/needs.js'
import { rejection } from '../support/reject.js'

const first = 'the first secret key, long enough'
const second = 'the second secret key, long enough'

async function started(config: ConfigInput<KeyringConfig>): Promise<Keyring> {
  const kernel = createKernel({
    plugins: [keyring(config), needs(Keyring)],
    http: false,
    logger: createLogger({ level: 'silent' }),
  })
  await kernel.start()
  const service = kernel.get(Keyring)
  await kernel.stop()
  return service
}

const bytes = (ring: Keyring, purpose: string, index = 0): string =>
  String(ring.derive(purpose)[index]?.key.export().toString('hex'))

t.test('derives one key for each secret, the same each time, another for each purpose', async (t) => {
  const ring = createKeyring([first, second])
  t.equal(ring.derive('a').length, 2)
  t.equal(ring.derive('a'), ring.derive('a'))
  t.equal(bytes(ring, 'a').length, 64)
  t.equal(bytes(ring, 'a'), bytes(createKeyring([first]), 'a'))
  t.equal(bytes(ring, 'a', 1), bytes(createKeyring([second]), 'a'))
  t.not(bytes(ring, 'a'), bytes(ring, 'b'))
  t.not(bytes(ring, 'a'), bytes(ring, 'a', 1))
})

t.test('names a secret without telling it', async (t) => {
  const ring = createKeyring([first, second])
  const [a, b] = ring.derive('a').map(({ id }) => id) as [string, string]
  t.not(a, b)
  t.equal(a, ring.derive('b')[0].id)
  t.equal(b, createKeyring([second]).derive('c')[0].id)
  t.match(a, /^[\w-]{12}$/)
})

t.test('refuses keys that are weak, without repeating them', async (t) => {
  for (const keys of [[], ['short-hunter2'], [first, 'x'.repeat(31)], [first, first], Array(40).fill(first)]) {
    const error = await rejection(started({ secretKeys: keys as string[] }))
    t.equal(error.code, 'CORE_ERR_SECRET_KEYS_INVALID')
    t.notMatch(error.message, /hunter2|first secret/)
  }
})

t.test('in a data directory', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const path = join(dataDir, 'secret-keys')

  await t.test('makes a key once, for its owner alone', async (t) => {
    const ring = await started({ dataDir })
    t.equal(statSync(path).mode & 0o777, 0o600)
    t.equal(statSync(dataDir).mode & 0o777, 0o700)
    t.same(readdirSync(dataDir), ['secret-keys'])
    t.match(readFileSync(path, 'utf8'), /^[\w-]{43}\n$/)
    t.equal(bytes(await started({ dataDir }), 'a'), bytes(ring, 'a'))
  })

  await t.test('reads several, newest first', async (t) => {
    writeFileSync(path, `${second}\n\n  ${first}\r\n`)
    t.same(readSecretKeys(dataDir), [second, first])
  })

  await t.test('refuses a file that others can read', async (t) => {
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(path, mode)
      const error = await rejection(started({ dataDir }))
      t.equal(error.code, 'CORE_ERR_SECRET_KEYS_INVALID')
      t.match(error.message, path)
      t.notMatch(error.message, first)
    }
    chmodSync(path, 0o600)
  })

  await t.test('refuses an empty or an enormous file', async (t) => {
    for (const text of ['', '\n\n', 'x'.repeat(100_000)]) {
      writeFileSync(path, text)
      t.equal((await rejection(started({ dataDir }))).code, 'CORE_ERR_SECRET_KEYS_INVALID')
    }
  })

  await t.test('says of a directory that cannot be used that it cannot', async (t) => {
    t.equal((await rejection(started({ dataDir: join(path, 'below') }))).code, 'CORE_ERR_DATA_DIR_UNUSABLE')
  })
})

t.test('starts that come at once agree on one key', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const rings = await Promise.all(Array.from({ length: 5 }, () => started({ dataDir })))
  t.equal(new Set(rings.map((ring) => bytes(ring, 'a'))).size, 1)
})

t.test('in memory nothing is written', async (t) => {
  const before = existsSync('memory:')
  const ring = await started({ dataDir: 'memory://' })
  t.not(bytes(ring, 'a'), bytes(await started({ dataDir: 'memory://' }), 'a'))
  t.equal(existsSync('memory:'), before)
})
