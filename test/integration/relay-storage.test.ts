// A relay's state in the real Keyv: in memory and in a real Redis, which may be away.
import KeyvRedis from '@keyv/redis'
import { keyvStorage } from '@sallyport/relay'
import { relayStorageContract } from '@sallyport/relay/testing'
import { Keyv } from 'keyv'
import t from 'tap'
import { redisServer, withoutRedis } from '../support/real-servers.js'

const runner = { test: (name: string, body: () => Promise<void>) => t.test(name, body) }
const key = 'relay-1'

const stores = new Map<string, Map<string, unknown>>()
const storeAt = (place: string) => {
  const store = stores.get(place) ?? new Map<string, unknown>()
  stores.set(place, store)
  return store
}
// The ttl is what must not be in force: a relay's state does not expire.
const inMemory = (place: string) => new Keyv({ store: storeAt(place), throwOnErrors: true, ttl: 1 })
relayStorageContract(runner, 'Keyv in memory', (place) => keyvStorage(inMemory(place), { key }), {
  corrupt: async (place) => void storeAt(place).set(`keyv:${key}`, '{"value":"{half","expires":'),
})

t.test('a Keyv that would hide errors is refused', async (t) => {
  t.throws(() => keyvStorage(new Keyv()), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.doesNotThrow(() => keyvStorage(new Keyv({ throwOnErrors: true })))
})

t.test('Redis', { skip: withoutRedis }, async (t) => {
  const redis = await redisServer(t)
  const open = (namespace: string, timeoutMs?: number) => {
    const adapter = new KeyvRedis(redis.url, { namespace, throwOnConnectError: true, throwOnErrors: false })
    const keyv = new Keyv({ store: adapter, namespace, useKeyPrefix: false, throwOnErrors: true })
    keyv.on('error', () => undefined)
    const storage = keyvStorage(keyv, { key, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
    return { ...storage, close: () => adapter.disconnect(true) }
  }
  const runner = { test: (name: string, body: () => Promise<void>) => t.test(name, body) }
  relayStorageContract(runner, 'Keyv in Redis', (place) => open(place))

  t.test('one that does not answer, and one that is gone, are no empty ones', async (t) => {
    const storage = open('away', 2_000)
    t.teardown(() => storage.close())
    await storage.save({ n: 1 })
    redis.pause()
    await t.rejects(storage.load(), { code: 'ETIMEDOUT' })
    await t.rejects(storage.save({ n: 2 }), { code: 'RELAY_ERR_STORAGE_WRITE' })
    redis.resume()
    await storage.save({ n: 3 })
    t.same(await storage.load(), { n: 3 })
    await redis.stop()
    await t.rejects(storage.load())
    await t.rejects(storage.save({ n: 4 }), { code: 'RELAY_ERR_STORAGE_WRITE' })
    await redis.start()
  })
})
