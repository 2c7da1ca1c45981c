import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import {
  createRelay,
  memoryStorage,
  type Relay,
  RelayError,
  type RelayEvents,
  type RelayState,
} from '../../dist/index.js'
import { parseRelayState } from '../../dist/state/relay-state.js'
import { freePort } from '../free-port.js'
import {
  allocation,
  dial,
  doorOf,
  ending,
  portOf,
  readBytes,
  startAgent,
  startEcho,
  startRelay,
  startService,
  until,
} from '../support.js'

type Test = { teardown(handler: () => unknown): void }

async function tunnelled(t: Test) {
  const relay = await startRelay(t, { limits: { bindRetryMinMs: 5, bindRetryMaxMs: 10 } })
  await startAgent(t, relay)
  const { port: target } = await startEcho(t)
  return { relay, target }
}

async function player(t: Test, relay: Relay, allocationId: number) {
  const socket = await dial(t, portOf(relay, allocationId))
  socket.write('a')
  await readBytes(socket, 1)
  return socket
}

t.test('what is unchanged is not touched; what is gone is closed and its players are cut', async (t) => {
  const { relay, target } = await tunnelled(t)
  const both = [allocation(1, target), allocation(2, target)]
  await relay.apply({ revision: 1, allocations: both })
  const stays = await player(t, relay, 1)
  const goes = await player(t, relay, 2)
  const port = portOf(relay, 1)
  const gone = portOf(relay, 2)
  const events: RelayEvents['allocation'][] = []
  relay.on('allocation', (event) => events.push(event))
  const seen = ending(goes)
  await relay.apply({ revision: 2, allocations: [allocation(1, target)] })
  t.equal(await seen, 'ECONNRESET')
  t.equal(portOf(relay, 1), port)
  stays.write('b')
  t.equal(String(await readBytes(stays, 1)), 'b')
  t.same(events, [{ allocationId: 2, status: 'removed' }])
  await t.rejects(dial(t, gone), { code: 'ECONNREFUSED' })
  t.equal(relay.traffic().length, 1)
})

t.test('a port that moves takes no player along and keeps its totals', async (t) => {
  const { relay, target } = await tunnelled(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const before = await player(t, relay, 1)
  const port = await freePort()
  const seen = ending(before)
  await relay.apply({ revision: 2, allocations: [allocation(1, target, { port })] })
  t.equal(await seen, 'ECONNRESET')
  t.equal(portOf(relay, 1), port)
  await player(t, relay, 1)
  await until(() => relay.traffic()[0]?.open === 1)
  t.match(relay.traffic(), [{ connections: 2, bytesIn: 2, bytesOut: 2 }])
})

t.test('two allocations exchange their ports', async (t) => {
  const { relay, target } = await tunnelled(t)
  const [a, b] = [await freePort(), await freePort()]
  await relay.apply({
    revision: 1,
    allocations: [allocation(1, target, { port: a }), allocation(2, target, { port: b })],
  })
  await relay.apply({
    revision: 2,
    allocations: [allocation(1, target, { port: b }), allocation(2, target, { port: a })],
  })
  t.equal(portOf(relay, 1), b)
  t.equal(portOf(relay, 2), a)
})

t.test('a UDP port that is freed can be bound in the same state', async (t) => {
  const { relay, target } = await tunnelled(t)
  const port = await freePort()
  const udp = { protocol: 'udp' as const, port }
  await relay.apply({ revision: 1, allocations: [allocation(1, target, udp)] })
  t.match(relay.status().allocations, [{ status: 'listening', port }])
  await relay.apply({ revision: 2, allocations: [allocation(2, target, udp)] })
  t.match(relay.status().allocations, [{ allocationId: 2, status: 'listening', port }])
})

t.test('paused: closed, players cut; resumed: as before', async (t) => {
  const { relay, target } = await tunnelled(t)
  const port = await freePort()
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { port })] })
  const seen = ending(await player(t, relay, 1))
  await relay.apply({ revision: 2, allocations: [allocation(1, target, { port, paused: true })] })
  t.equal(await seen, 'ECONNRESET')
  t.match(relay.status().allocations, [{ allocationId: 1, status: 'paused', port }])
  await t.rejects(dial(t, port), { code: 'ECONNREFUSED' })
  await relay.apply({ revision: 3, allocations: [allocation(1, target, { port })] })
  t.equal(portOf(relay, 1), port)
  await player(t, relay, 1)
})

t.test('a new target holds for new players', async (t) => {
  const { relay, target } = await tunnelled(t)
  const { port: other } = await startService(t, (socket) => socket.write('other'))
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const port = portOf(relay, 1)
  const before = await player(t, relay, 1)
  await relay.apply({ revision: 2, allocations: [allocation(1, other)] })
  t.equal(portOf(relay, 1), port)
  before.write('b')
  t.equal(String(await readBytes(before, 1)), 'b')
  t.equal(String(await readBytes(await dial(t, port), 5)), 'other')
})

t.test('an older state is ignored, the same one again changes nothing', async (t) => {
  const { relay, target } = await tunnelled(t)
  await relay.apply({ revision: 5, allocations: [allocation(1, target)] })
  const port = portOf(relay, 1)
  await relay.apply({ revision: 4, allocations: [] })
  await relay.apply({ revision: 5, allocations: [allocation(1, target)] })
  t.equal(relay.status().revision, 5)
  t.equal(portOf(relay, 1), port)
})

t.test('TCP and UDP share one number', async (t) => {
  const { relay, target } = await tunnelled(t)
  const port = await freePort()
  const udp = { port, protocol: 'udp' } as const
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { port }), allocation(2, target, udp)] })
  t.equal(portOf(relay, 1), port)
  t.equal(portOf(relay, 2), port)
})

t.test('a taken port fails alone and heals by itself', async (t) => {
  const { relay, target } = await tunnelled(t)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const healed = new Promise((resolve) =>
    relay.on('allocation', ({ allocationId, status }) => allocationId === 1 && status === 'listening' && resolve(true)),
  )
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { port }), allocation(2, target)] })
  t.match(relay.status().allocations, [
    { allocationId: 1, status: 'failed', error: 'EADDRINUSE', port },
    { allocationId: 2, status: 'listening' },
  ])
  await player(t, relay, 2)
  await new Promise((resolve) => taken.close(resolve))
  await healed
  t.equal(portOf(relay, 1), port)
  t.equal(relay.status().allocations[0]?.error, undefined)
  await player(t, relay, 1)
})

t.test('a failing allocation that is removed is not tried again', async (t) => {
  const { relay, target } = await tunnelled(t)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { port })] })
  await relay.apply({ revision: 2, allocations: [] })
  await new Promise((resolve) => taken.close(resolve))
  const again = createServer().listen(port, '127.0.0.1')
  await once(again, 'listening')
  await new Promise((resolve) => again.close(resolve))
  t.same(relay.status().allocations, [])
})

t.test('states that overtake each other end in the newest', async (t) => {
  const { relay, target } = await tunnelled(t)
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      relay.apply({
        revision: n + 1,
        allocations: n % 3 === 0 ? [] : [allocation(1, target, { paused: n % 2 === 0 })],
      }),
    ),
  )
  t.equal(relay.status().revision, 20)
  t.match(relay.status().allocations, [{ allocationId: 1, status: 'listening' }])
  await player(t, relay, 1)
})

t.test('a state that is not valid changes nothing', async (t) => {
  const { relay, target } = await tunnelled(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const bad: unknown[] = [
    null,
    { revision: 2 },
    { revision: -1, allocations: [] },
    { revision: 2, allocations: [allocation(1, 0)] },
    { revision: 2, allocations: [allocation(1, 1), allocation(1, 2)] },
    { revision: 2, allocations: [{ ...allocation(1, 1), port: '80' }] },
    { revision: 2, allocations: [{ ...allocation(1, 1), paused: 'no' }] },
  ]
  for (const state of bad)
    await t.rejects(relay.apply(state as RelayState), { code: 'RELAY_ERR_INVALID_STATE' }, JSON.stringify(state))
  t.equal(relay.status().revision, 1)
  await player(t, relay, 1)
  fc.assert(fc.property(fc.anything(), (value) => typeof parseRelayState(value).ok === 'boolean'))
})

t.test('a storage that fails is named and does not stop the relay', async (t) => {
  const storage = { ...memoryStorage(), save: async () => Promise.reject(new Error('disk full')) }
  const errors: unknown[] = []
  const log = () => {}
  const logger = { debug: log, info: log, warn: log, error: (obj: unknown) => errors.push(obj) }
  const relay = await startRelay(t, { storage, logger })
  await t.rejects(relay.apply({ revision: 1, allocations: [allocation(1, 9)] }), { code: 'RELAY_ERR_STORAGE_WRITE' })
  t.equal(relay.status().allocations[0]?.status, 'listening')
  t.ok(errors.length > 0)
})

t.test('a stored state that is lost is said, and no ticket of before counts', async (t) => {
  const ticketKey = Buffer.alloc(32, 1)
  const first = await startRelay(t, { ticketKey })
  const ticket = first.issueTicket('d')
  const errors: unknown[] = []
  const log = () => {}
  const logger = { debug: log, info: log, warn: log, error: (obj: unknown) => errors.push(obj) }
  const load = async () => {
    throw new RelayError('RELAY_ERR_STORAGE_CORRUPT')
  }
  const relay = await startRelay(t, { ticketKey, logger, storage: { ...memoryStorage(), load } })
  t.equal(errors.length, 1)
  const agent = await startAgent(t, relay, {}, 'e')
  const refused = new Promise((resolve) => agent.on('link', ({ error }) => resolve(error)))
  agent.disconnect(relay.id)
  agent.connect({ ...doorOf(relay), id: 'again', ticket })
  t.match(await refused, /ticket_revoked|closed/)
  await until(() => !agent.links().some(({ connected }) => connected))
})

t.test('the state of another relay is not served, nor does its key or what it has spent count', async (t) => {
  const storage = memoryStorage()
  const first = await startRelay(t, { id: 'before', storage })
  await first.apply({ revision: 7, allocations: [allocation(1, 9)] })
  first.setAdmission({ decide: () => true, otherwise: 'deny' })
  const key = Buffer.from(first.ticketKey)
  await first.stop()
  const errors: unknown[] = []
  const log = () => {}
  const logger = { debug: log, info: log, warn: log, error: (obj: unknown) => errors.push(obj) }
  const second = await startRelay(t, { id: 'after', storage, logger })
  t.match(errors, [{ error: /'before'/ }])
  t.match(second.status(), { revision: 0, allocations: [] })
  t.notOk(key.equals(second.ticketKey))
  await second.apply({ revision: 1, allocations: [allocation(2, 9)] })
  await second.stop()
  const again = await startRelay(t, { id: 'after', storage, logger })
  t.match(again.status(), { revision: 1, allocations: [{ allocationId: 2 }] })
  t.equal(errors.length, 1)
})

t.test('totals stay while it is stopped and go on when it is started again', async (t) => {
  const { port: target } = await startEcho(t)
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target), allocation(2, target)] })
  const echo = async () => {
    const player = await dial(t, portOf(relay, 1))
    player.write('abc')
    await readBytes(player, 3)
  }
  await startAgent(t, relay)
  await echo()
  await relay.stop()
  const carried = { bytesIn: 3, bytesOut: 3, connections: 1, open: 0 }
  t.match(relay.traffic(), [{ allocationId: 1, ...carried }, { allocationId: 2 }])
  await relay.start()
  await startAgent(t, relay)
  await echo()
  t.match(relay.traffic(), [{ allocationId: 1, bytesIn: 6, bytesOut: 6, connections: 2, open: 1 }, { allocationId: 2 }])
  await relay.change({ revision: 2, upsert: [], remove: [1] })
  t.match(relay.traffic(), [{ allocationId: 2 }])
})

t.test('a handler that throws is logged and the others are called', async (t) => {
  const errors: unknown[] = []
  const log = () => {}
  const relay = createRelay({
    dataPort: 0,
    logger: { debug: log, info: log, warn: log, error: (obj) => errors.push(obj) },
  })
  await relay.start()
  t.teardown(() => relay.stop())
  let heard = 0
  relay.on('allocation', () => {
    throw new Error('mine')
  })
  const off = relay.on('allocation', () => {
    heard += 1
  })
  await relay.apply({ revision: 1, allocations: [allocation(1, 9)] })
  off()
  await relay.apply({ revision: 2, allocations: [] })
  t.equal(heard, 1)
  t.equal(errors.length, 2)
})
