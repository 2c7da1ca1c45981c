import type { KeyvStoreAdapter } from 'keyv'
import { LRUCache } from 'lru-cache'

/** A Keyv store in memory that forgets the least recently used beyond `maxEntries`. */
export function createMemoryStore(maxEntries: number): KeyvStoreAdapter {
  const entries = new LRUCache<string, { readonly value: unknown }>({ max: maxEntries })
  return {
    opts: {},
    async get(key) {
      return entries.get(key)?.value as never
    },
    // Keyv writes into the value when it ends, and looks at that when it reads.
    set(key, value) {
      entries.set(key, { value })
    },
    async delete(key) {
      return entries.delete(key)
    },
    async clear() {
      entries.clear()
    },
    on() {
      return this
    },
  }
}
