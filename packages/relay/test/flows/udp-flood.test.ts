import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { DeviceFlows } from '../../dist/flows/device-flows.js'
import { UdpListener } from '../../dist/flows/udp-listener.js'
import type { RelayEvents } from '../../dist/index.js'
import { DEFAULT_RELAY_LIMITS } from '../../dist/limits.js'
import { silentLogger } from '../../dist/logger.js'
import { Permits } from '../../dist/permits.js'
import { Admissions } from '../../dist/players/admissions.js'
import { HeldPlayers } from '../../dist/players/held-players.js'
import type { PlayerContext } from '../../dist/players/public-listener.js'
import { allocation, startTunnel, startUdpEcho, udpSocket, until } from '../support.js'
import { channelPair } from './channel-pair.js'
import { startAgentFlows } from './flow-ends.js'

const FORGED = 50_000

function forged(n: number): { address: string; port: number; family: 'IPv4'; size: number } {
  return {
    address: `198.${18 + (n >> 15)}.${(n >> 7) & 255}.${n & 127}`,
    port: 1 + (n % 65_000),
    family: 'IPv4',
    size: 1,
  }
}

/** A public port whose datagrams can be given to it, with a real agent's side in this process. */
async function startPort(t: Parameters<typeof startUdpEcho>[0], admission?: () => boolean) {
  const target = await startUdpEcho(t)
  // All of this is one process, which has no time for the target while it floods.
  target.setRecvBufferSize(4 * 1024 * 1024)
  const { relay, agent } = channelPair()
  const { flows: agentFlows } = startAgentFlows(t, agent)
  const limits = DEFAULT_RELAY_LIMITS
  const device = new DeviceFlows({ linkWaitMs: limits.linkWaitMs, createChannel: relay.open, wake: () => {} })
  const events: RelayEvents['connection'][] = []
  const context = {
    bindHost: '127.0.0.1',
    limits,
    logger: silentLogger,
    held: new HeldPlayers(limits),
    admissions: new Admissions(admission && { decide: admission }, limits.maxWaitingAdmissions, silentLogger),
    flows: { find: () => device },
    permits: new Permits(limits.maxConnections),
    tell: (event: RelayEvents['connection']) => events.push(event),
  }
  const traffic = { allocationId: 1, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
  const listener = new UdpListener(
    allocation(1, target.port, { protocol: 'udp' }),
    traffic,
    context as unknown as PlayerContext,
  )
  const port = await listener.listen()
  t.teardown(async () => {
    listener.cutPlayers()
    listener.stopAccepting()
    await listener.closed()
    device.close()
  })
  return { listener, port, device, agentFlows, events, traffic }
}

const PATIENCE_MS = 1_000

/** Sends until the answer comes; gives how often it did not. */
async function retriesOf(player: UdpSocket, port: number, text: string): Promise<number> {
  for (let retries = 0; ; retries += 1) {
    const answered = new Promise<boolean>((resolve) => {
      // What came too late for one before is no answer to this.
      const hear = (payload: Buffer) => String(payload) === text && finish(true)
      const timer = setTimeout(() => finish(false), PATIENCE_MS)
      const finish = (heard: boolean) => {
        clearTimeout(timer)
        player.off('message', hear)
        resolve(heard)
      }
      player.on('message', hear)
    })
    player.send(text, port, '127.0.0.1')
    if (await answered) return retries
  }
}

/** A player who has sent again after having been answered. */
async function validated(t: Parameters<typeof udpSocket>[0], port: number) {
  const player = await udpSocket(t)
  for (const text of ['hello', 'hello again']) await retriesOf(player, port, text)
  return player
}

t.test('a flood of forged sources leaves few flows, few events and no memory, and players stay', async (t) => {
  const { listener, port, device, agentFlows, events } = await startPort(t)
  const player = await validated(t, port)
  let lost = 0
  const payload = Buffer.from('forged')
  const before = process.memoryUsage().rss
  for (let n = 0; n < FORGED; n += 1) {
    listener.take(payload, forged(n))
    if (n % 500 !== 0) continue
    lost += await retriesOf(player, port, `round ${n}`)
  }
  t.ok(lost <= 1, `${lost} of a hundred lost`)
  t.ok(device.size <= 513, `${device.size} flows`)
  t.ok(agentFlows.size <= 513, `${agentFlows.size} sockets`)
  t.ok(events.length < 1_000, `${events.length} events`)
  t.ok(process.memoryUsage().rss - before < 60_000_000, 'bounded')
  t.notOk(
    events.some(({ phase, remotePort }) => phase === 'close' && remotePort === player.port),
    'the player was not displaced',
  )
})

t.test('in a flood, who sends again is let in', async (t) => {
  const { listener, port } = await startPort(t)
  const payload = Buffer.from('forged')
  let at = 0
  const flood = () => {
    for (let n = 0; n < 200; n += 1) listener.take(payload, forged(at++ % FORGED))
  }
  flood()
  const player = await udpSocket(t)
  let heard = 0
  player.on('message', () => {
    heard += 1
  })
  await until(() => {
    flood()
    player.send('let me in', port, '127.0.0.1')
    return heard > 0
  })
  t.pass('it was')
})

t.test('nobody is asked about most of the forged', async (t) => {
  let asked = 0
  const { listener } = await startPort(t, () => {
    asked += 1
    return false
  })
  for (let n = 0; n < FORGED; n += 1) listener.take(Buffer.from('forged'), forged(n))
  t.ok(asked < 1_500, `asked ${asked} times`)
})

t.test('two thousand real sources of 127.0.0.0/8: a player loses nothing', async (t) => {
  const target = await startUdpEcho(t)
  const { port, relay } = await startTunnel(t, target.port, { allocation: { protocol: 'udp' } })
  const player = await validated(t, port)
  const sources = 2_000
  let lost = 0
  for (let n = 0; n < sources; n += 1) {
    const socket = createSocket('udp4')
    socket.bind(0, `127.77.${n >> 8}.${1 + (n & 127)}`)
    await once(socket, 'listening')
    await new Promise((resolve) => socket.send('once', port, '127.0.0.1', resolve))
    socket.close()
    if (n % 20 !== 0) continue
    lost += await retriesOf(player, port, `round ${n}`)
  }
  t.ok(lost <= 1, `${lost} of a hundred lost`)
  t.ok((relay.traffic()[0]?.open ?? 0) <= 513)
})
