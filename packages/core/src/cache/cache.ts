import type { Keyv } from 'keyv'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** Keyv stores: in memory (bounded), or in Redis when there is one. A cache may forget; it never decides. */
export interface Cache {
  /**
   * @param name unique, such as `auth.sessions`; the same name gives the same contents on every instance
   * @param options `ttlMs`: default 60,000. `maxEntries`: of the store in memory, default 10,000
   * @returns a store of JSON values. It never rejects: what fails is a miss
   */
  namespace<T>(name: string, options?: { ttlMs?: number; maxEntries?: number }): Keyv<T>
}

export const Cache: ServiceToken<Cache> = defineService<Cache>('core.cache')
