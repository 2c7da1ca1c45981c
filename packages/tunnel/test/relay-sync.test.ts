import type { Sql } from '@sallyport/core'
import { createTestLogger } from '@sallyport/core/testing'
import { createRelay, RelayError } from '@sallyport/relay'
import t from 'tap'
import { createRelaySync } from '../dist/relays/relay-sync.js'
import { createRelayView } from '../dist/relays/relay-view.js'
import type { SteeredRelay } from '../dist/relays/steered-relay.js'
import { until } from './support/until.js'

const day = '2026-01-01 00:00:00+00'

/** A database with one allocation of each device, which can be away, and a relay whose storage can fail. */
async function room(t: Pick<typeof import('tap').t, 'teardown'>) {
  const state = { revision: 0, away: false, diskFull: false, enabled: true, devices: ['d'], reads: [] as number[] }
  const row = (device: string, index: number) => ({
    id: String(7 + index),
    device_id: device,
    token_id: 'token',
    protocol: 'tcp',
    port: 0,
    local_host: '127.0.0.1',
    local_port: 9,
    paused: false,
    options: {},
    relay_status: null,
    relay_error: null,
    version: day,
  })
  const sql = (async (text: string, values: readonly unknown[] = []) => {
    if (state.away) throw new Error('the database is away')
    if (text.includes('setval')) {
      state.revision = Math.max(state.revision, Number(values[0]))
      return []
    }
    if (text.includes('nextval')) {
      state.revision += 1
      return [{ revision: String(state.revision) }]
    }
    const wanted: string[] | undefined = typeof values[1] === 'string' ? JSON.parse(values[1]) : undefined
    const rows = state.devices.map(row).filter(({ device_id }) => wanted?.includes(device_id) ?? true)
    state.reads.push(rows.length)
    return rows
  }) as unknown as Sql
  const storage = {
    load: async () => undefined,
    save: async () => {
      if (state.diskFull) throw new RelayError('RELAY_ERR_STORAGE_WRITE', 'ENOSPC')
    },
  }
  const relay = createRelay({ dataPort: 0, storage })
  await relay.start()
  const sent: number[] = []
  const steered: SteeredRelay = {
    ...{ id: relay.id, epoch: relay.epoch },
    apply: (wanted) => {
      sent.push(wanted.allocations.length)
      return relay.apply(wanted)
    },
    change: (change) => {
      sent.push(change.upsert.length + change.remove.length)
      return relay.change(change)
    },
    disconnectDevice: (deviceId) => relay.disconnectDevice(deviceId),
    get revision() {
      return relay.revision
    },
    status: () => relay.status(),
    traffic: () => relay.traffic(),
    on: (event, handler) => relay.on(event, handler),
    load: () => ({ devices: 0, connections: 0, draining: false }),
  }
  const log = createTestLogger()
  const view = createRelayView()
  const { sync, stop } = createRelaySync({
    ...{ sql, relay: steered, view, logger: log.logger, enabled: () => state.enabled },
    onTold: async () => undefined,
  })
  t.teardown(async () => {
    await stop()
    await relay.stop()
  })
  return { state, relay, sync, view, sent, log, status: () => relay.status().allocations[0]?.status }
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

t.test('one change among many reads and sends that one', async (t) => {
  const { state, sync, sent, relay, view } = await room(t)
  state.devices = Array.from({ length: 50 }, (_, n) => `d${n}`)
  await sync()
  state.devices.push('new')
  await sync(['new'])
  t.same(state.reads, [50, 1])
  t.same(sent, [50, 1])
  state.devices.pop()
  await sync(['new'])
  t.same(state.reads, [50, 1, 0])
  t.same(sent, [50, 1, 1])
  await sync(['d3'])
  await sync()
  t.same(sent, [50, 1, 1], 'and nothing when nothing is different')
  t.equal(relay.status().allocations.length, 50)
  t.equal(view.size, 50)
})

t.test('after a change that failed the whole is told', async (t) => {
  const { state, sync, sent, relay } = await room(t)
  await sync()
  state.devices.push('new')
  state.away = true
  await sync(['new'])
  state.away = false
  await until('both are served', () => relay.status().allocations.length === 2)
  t.same(sent, [1, 2])
})
