import type { RedisClientType } from '@keyv/redis'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** The connections to Redis that cache, rate limits and events share. While it is away their commands fail at once. */
export interface Redis {
  /** `undefined` when there is none: one instance, everything in process. */
  readonly client: RedisClientType | undefined
  /** A second connection, for SUBSCRIBE. */
  readonly subscriber: RedisClientType | undefined
  /** What every key and channel of this panel begins with, its database's number included. */
  readonly prefix: string
}

export const Redis: ServiceToken<Redis> = defineService<Redis>('core.redis')
