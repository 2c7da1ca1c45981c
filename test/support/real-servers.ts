import {
  missingPostgres,
  missingRedis,
  skipWithout,
  startPostgres,
  startRedis,
  type TestPostgres,
  type TestRedis,
} from '@sallyport/core/testing'
import type { Test } from 'tap'

/** What tap's `skip` takes: `false`, or why there is no Redis. With CI=true its absence is a failure. */
export const withoutRedis: string | false = skipWithout('Redis', missingRedis())
export const withoutPostgres: string | false = skipWithout('Postgres', missingPostgres())

/** A Redis server that goes with the test. */
export async function redisServer(t: Test): Promise<TestRedis> {
  const redis = await startRedis()
  t.teardown(() => redis[Symbol.asyncDispose]())
  return redis
}

/** A Postgres server that goes with the test. */
export async function postgresServer(t: Test): Promise<TestPostgres> {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  return postgres
}
