import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import type { AllocationOptions, Relay, RelayEvents } from '../../dist/index.js'
import { allocation, dial, ending, readBytes, startEcho, startTunnel, startUdpEcho, until } from '../support.js'

type Test = Pick<typeof t, 'teardown'>

function change(relay: Relay, target: number, options: AllocationOptions, protocol: 'tcp' | 'udp' = 'tcp') {
  const revision = relay.status().revision + 1
  return relay.change({ revision, upsert: [allocation(1, target, { protocol, options })], remove: [] })
}

function refusals(relay: Relay): RelayEvents['connection'][] {
  const refused: RelayEvents['connection'][] = []
  relay.on('connection', (event) => event.phase === 'refused' && refused.push(event))
  return refused
}

async function echoes(t: Test, localAddress: string, port: number): Promise<Socket> {
  const socket = await dial(t, port, localAddress)
  socket.write('a')
  await readBytes(socket, 1)
  return socket
}

async function refused(t: Test, localAddress: string, port: number): Promise<void> {
  await ending(await dial(t, port, localAddress))
}

/** Flows from one address, each from a port of its own; resolves to how many were answered when `enough` says so. */
async function flowsFrom(t: Test, address: string, port: number, count: number, enough: () => boolean) {
  let answered = 0
  for (let n = 0; n < count; n += 1) {
    const socket = createSocket('udp4').bind(0, address)
    t.teardown(() => socket.close())
    await once(socket, 'listening')
    socket.once('message', () => {
      answered += 1
    })
    for (let tries = 0; tries < 3; tries += 1) socket.send('a', port, '127.0.0.1')
  }
  await until(enough)
  return () => answered
}

t.test('maxConnectionsPerSource refuses one source and not the others', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port } = await startTunnel(t, target, { allocation: { options: { maxConnectionsPerSource: 2 } } })
  const events = refusals(relay)
  const first = await echoes(t, '127.0.0.2', port)
  await echoes(t, '127.0.0.2', port)
  await refused(t, '127.0.0.2', port)
  t.match(events, [{ reason: 'busy', remoteAddress: '127.0.0.2', durationMs: 0 }])
  await echoes(t, '127.0.0.3', port)
  first.destroy()
  await until(() => relay.traffic()[0]?.open === 2)
  await echoes(t, '127.0.0.2', port)

  await change(relay, target, { maxConnectionsPerSource: 1 })
  t.equal(relay.traffic()[0]?.open, 3, 'nobody is sent away')
  await refused(t, '127.0.0.3', port)
  await change(relay, target, {})
  await echoes(t, '127.0.0.3', port)
})

t.test('connectionRate lets go at once who is above it', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port } = await startTunnel(t, target, { allocation: { options: { connectionRate: 2 } } })
  const events = refusals(relay)
  const startedAt = performance.now()
  await echoes(t, '127.0.0.1', port)
  await echoes(t, '127.0.0.1', port)
  for (let n = 0; n < 20; n += 1) await refused(t, '127.0.0.1', port)
  const seconds = (performance.now() - startedAt) / 1_000
  const most = 2 + Math.ceil(2 * seconds)
  t.ok((relay.traffic()[0]?.connections ?? 99) <= most, `in ${seconds} s`)
  t.ok(events.length >= 20 - most)
  t.match(events[0], { reason: 'busy', durationMs: 0, bytesIn: 0 })
  await until(async () => {
    const socket = await dial(t, port, '127.0.0.1')
    socket.write('a')
    return await readBytes(socket, 1).catch(() => false)
  })
  await change(relay, target, { connectionRate: 1_000 })
  await until(async () => await echoes(t, '127.0.0.1', port).catch(() => false))
})

t.test('both count flows of datagrams', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, port } = await startTunnel(t, target.port, {
    allocation: { protocol: 'udp', options: { maxConnectionsPerSource: 2 } },
  })
  const connections = () => relay.traffic()[0]?.connections ?? 0
  const answered = await flowsFrom(t, '127.0.0.2', port, 6, () => connections() === 2)
  await flowsFrom(t, '127.0.0.3', port, 6, () => connections() === 4)
  await until(() => answered() === 2)
  await change(relay, target.port, { maxConnectionsPerSource: 3 }, 'udp')
  await flowsFrom(t, '127.0.0.2', port, 3, () => connections() === 5)
  await change(relay, target.port, { maxConnectionsPerSource: 1 }, 'udp')
  t.equal(relay.traffic()[0]?.open, 5, 'nobody is sent away')
  await flowsFrom(t, '127.0.0.6', port, 3, () => connections() === 6)

  await change(relay, target.port, { connectionRate: 1 }, 'udp')
  const before = connections()
  await flowsFrom(t, '127.0.0.4', port, 5, () => connections() > before)
  await change(relay, target.port, {}, 'udp')
  t.ok(connections() - before < 4, 'one, and one for each second that this took')
  await flowsFrom(t, '127.0.0.5', port, 5, () => connections() >= before + 6)
})
