import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import type { Relay, RelayEvents, RelayState } from '../../dist/index.js'
import { parseRelayState } from '../../dist/state/relay-state.js'
import { freePort } from '../free-port.js'
import {
  allocation,
  dial,
  ending,
  errorLog,
  portOf,
  readBytes,
  startAgent,
  startEcho,
  startPlayer,
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

/** A port that somebody else holds until `free` is called. */
async function takePort() {
  const server = createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, free: () => new Promise((resolve) => server.close(resolve)) }
}

function listening(relay: Relay, id: number): Promise<void> {
  return new Promise((resolve) =>
    relay.on('allocation', ({ allocationId, status }) => {
      if (allocationId === id && status === 'listening') resolve()
    }),
  )
}

t.test('what is unchanged is not touched; what is gone is closed and its players are cut', async (t) => {
  const { relay, target } = await tunnelled(t)
  const both = [allocation(1, target), allocation(2, target)]
  await relay.apply({ revision: 1, allocations: both })
  const stays = await startPlayer(t, relay, 1)
  const goes = await startPlayer(t, relay, 2)
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
  t.same(events, [{ allocationId: 2, port: gone, status: 'removed' }])
  await t.rejects(dial(t, gone), { code: 'ECONNREFUSED' })
  t.equal(relay.traffic().length, 1)
})

t.test('a port that moves takes no player along and keeps its totals', async (t) => {
  const { relay, target } = await tunnelled(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const before = await startPlayer(t, relay, 1)
  const port = await freePort()
  const seen = ending(before)
  await relay.apply({ revision: 2, allocations: [allocation(1, target, { port })] })
  t.equal(await seen, 'ECONNRESET')
  t.equal(portOf(relay, 1), port)
  await startPlayer(t, relay, 1)
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
  const seen = ending(await startPlayer(t, relay, 1))
  await relay.apply({ revision: 2, allocations: [allocation(1, target, { port, paused: true })] })
  t.equal(await seen, 'ECONNRESET')
  t.match(relay.status().allocations, [{ allocationId: 1, status: 'paused', port }])
  await t.rejects(dial(t, port), { code: 'ECONNREFUSED' })
  await relay.apply({ revision: 3, allocations: [allocation(1, target, { port })] })
  t.equal(portOf(relay, 1), port)
  await startPlayer(t, relay, 1)
})

t.test('a new target holds for new players', async (t) => {
  const { relay, target } = await tunnelled(t)
  const { port: other } = await startService(t, (socket) => socket.write('other'))
  await relay.apply({ revision: 1, allocations: [allocation(1, target)] })
  const port = portOf(relay, 1)
  const before = await startPlayer(t, relay, 1)
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
  const { port, free } = await takePort()
  const healed = listening(relay, 1)
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { port }), allocation(2, target)] })
  t.match(relay.status().allocations, [
    { allocationId: 1, status: 'failed', error: 'EADDRINUSE', port },
    { allocationId: 2, status: 'listening' },
  ])
  await startPlayer(t, relay, 2)
  await free()
  await healed
  t.equal(portOf(relay, 1), port)
  t.equal(relay.status().allocations[0]?.error, undefined)
  await startPlayer(t, relay, 1)
})

t.test('a failing allocation that is removed is not tried again', async (t) => {
  const { relay, target } = await tunnelled(t)
  const [gone, stays] = [await takePort(), await takePort()]
  const still = allocation(2, target, { port: stays.port })
  await relay.apply({ revision: 1, allocations: [allocation(1, target, { port: gone.port }), still] })
  await relay.apply({ revision: 2, allocations: [still] })
  const healed = listening(relay, 2)
  await gone.free()
  await stays.free()
  await healed
  t.match(relay.status().allocations, [{ allocationId: 2 }])
  await t.rejects(dial(t, gone.port), { code: 'ECONNREFUSED' })
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
  await startPlayer(t, relay, 1)
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
  await startPlayer(t, relay, 1)
  fc.assert(fc.property(fc.anything(), (value) => typeof parseRelayState(value).ok === 'boolean'))
})

t.test('a handler that throws is logged and the others are called', async (t) => {
  const { errors, logger } = errorLog()
  const relay = await startRelay(t, { logger })
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
