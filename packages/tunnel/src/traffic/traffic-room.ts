import type { Cache, Database, Logger, Redis, Scope, Sql } from '@sallyport/core'
import type { TrafficConfig } from '../config.js'
import { every } from '../every.js'
import { rollUp } from './roll-up.js'
import { createSharedTraffic } from './shared-traffic.js'
import { createTrafficCounter, type TrafficCounter } from './traffic.js'

interface TrafficRoomOptions {
  readonly sql: Sql
  readonly database: Database
  readonly scope: Scope
  readonly logger: Logger
  readonly config: TrafficConfig
  readonly redis: Redis | undefined
  readonly cache: Cache | undefined
}

const sampleIntervalMs = 1_000
const rollUpIntervalMs = 300_000

/** The traffic counter with what it does regularly, until the scope ends: sampling, storing, keeping the series short. */
export function openTraffic({
  sql,
  database,
  scope,
  logger,
  config,
  redis,
  cache,
}: TrafficRoomOptions): TrafficCounter {
  const shared = redis?.client && cache ? createSharedTraffic(cache) : undefined
  const traffic = createTrafficCounter({ sql, logger, shared })
  scope.defer(every(config.flushIntervalMs, 'storing traffic', logger, traffic.flush))
  scope.defer(every(sampleIntervalMs, 'measuring traffic', logger, () => traffic.sample()))
  scope.defer(every(rollUpIntervalMs, 'rolling up traffic', logger, () => rollUp(sql, database.sequelize, config)))
  return traffic
}
