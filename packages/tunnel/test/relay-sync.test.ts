import type { Sql } from '@sallyport/core'
import { createTestLogger } from '@sallyport/core/testing'
import { createRelay, RelayError } from '@sallyport/relay'
import t from 'tap'
import { createRelaySync } from '../dist/relays/relay-sync.js'
import { createTrafficCounter } from '../dist/traffic/traffic.js'
import { until } from './support/until.js'

/** A database with one allocation, which can be away, and a relay whose storage can fail. */
async function room(t: Pick<typeof import('tap').t, 'teardown'>) {
  const state = { revision: 0, away: false, diskFull: false, enabled: true }
  const row = {
    id: '7',
    device_id: 'd',
    protocol: 'tcp',
    port: 0,
    local_host: '127.0.0.1',
    local_port: 9,
    paused: false,
  }
  const sql = (async (text: string, values: readonly number[] = []) => {
    if (state.away) throw new Error('the database is away')
    if (text.includes('setval')) {
      state.revision = Math.max(state.revision, Number(values[0]))
      return []
    }
    if (!text.includes('nextval')) return [{ ...row, bytes_in: '0', bytes_out: '0', connections: '0' }]
    state.revision += 1
    return [{ revision: String(state.revision) }]
  }) as unknown as Sql
  const storage = {
    load: async () => undefined,
    save: async () => {
      if (state.diskFull) throw new RelayError('RELAY_ERR_STORAGE_WRITE', 'ENOSPC')
    },
  }
  const relay = createRelay({ dataPort: 0, storage })
  await relay.start()
  const log = createTestLogger()
  const traffic = createTrafficCounter(sql, () => relay.traffic())
  const sync = createRelaySync({ sql, relay, traffic, logger: log.logger, enabled: () => state.enabled })
  t.teardown(async () => {
    await sync.stop()
    await relay.stop()
  })
  return { state, relay, sync: sync.sync, log, status: () => relay.status().allocations[0]?.status }
}

t.test('what cannot be read now is tried again', async (t) => {
  const { state, sync, log, status } = await room(t)
  state.away = true
  await sync()
  t.equal(status(), undefined)
  t.equal(log.lines.filter(({ level }) => level >= 50).length, 1)
  state.away = false
  t.ok(await until('served', () => status() === 'listening'))
})

t.test('a state that cannot be stored is in force all the same', async (t) => {
  const { state, sync, status } = await room(t)
  state.diskFull = true
  await sync()
  t.equal(status(), 'listening')
})

t.test('a database that counts from lower, restored from a backup, is obeyed', async (t) => {
  const { state, relay, sync, status } = await room(t)
  await relay.apply({ revision: 1_000, allocations: [] })
  await sync()
  t.equal(status(), 'listening')
  t.equal(relay.status().revision, 1_001)
  t.equal(state.revision, 1_001)
})

t.test('switched off the port is kept and closed', async (t) => {
  const { state, sync, status } = await room(t)
  await sync()
  state.enabled = false
  await sync()
  t.equal(status(), 'paused')
})
