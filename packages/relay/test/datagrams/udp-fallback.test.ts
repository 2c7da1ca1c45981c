import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { createAgent } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import {
  addressOf,
  allocation,
  DEVICE,
  linked,
  portOf,
  startRelay,
  startTunnel,
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'

/** A way to the relay's data port that takes TCP only: datagrams are counted and dropped. */
async function startTcpOnly(t: Parameters<typeof startRelay>[0], dataPort: number) {
  const port = await freePort()
  let datagrams = 0
  const udp = createSocket('udp4').on('message', () => {
    datagrams += 1
  })
  udp.bind(port, '127.0.0.1')
  t.teardown(() => udp.close())
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer({ allowHalfOpen: true }, (near) => {
    count += 1
    const far = connect({ port: dataPort, host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.pipe(far).pipe(near)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port, connections: () => count, datagrams: () => datagrams }
}

t.test(
  'where UDP is blocked an agent has no stream until a player comes, and then the first datagram arrives',
  async (t) => {
    const target = await startUdpEcho(t)
    // Less than the tries below take, and time enough for the stream.
    const relay = await startRelay(t, { limits: { linkWaitMs: 900 } })
    const way = await startTcpOnly(t, relay.dataPort)
    const agent = createAgent()
    t.teardown(() => agent.stop())
    agent.connect({ ...addressOf(relay), port: way.port })
    await linked(relay, agent, DEVICE)
    await relay.apply({ revision: 1, allocations: [allocation(1, target.port, { protocol: 'udp' })] })
    // One each 100 ms: UDP gets 500 ms before a stream is opened.
    await until(() => way.datagrams() > 10, 'UDP is tried')
    t.equal(way.connections(), 1, 'the link and nothing else')
    const player = await udpSocket(t)
    const heard: string[] = []
    player.on('message', (payload) => heard.push(String(payload)))
    player.send('only once', portOf(relay, 1), '127.0.0.1')
    await until(() => heard.length === 1)
    t.same(heard, ['only once'])
    t.equal(way.connections(), 2)
  },
)

t.test('a device that was shut out gets no datagrams of players any more', async (t) => {
  const target = await startUdpEcho(t)
  const { relay, port } = await startTunnel(t, target.port, { allocation: { protocol: 'udp' } })
  const player = await udpSocket(t)
  let heard = 0
  player.on('message', () => {
    heard += 1
  })
  await until(() => {
    player.send('before', port, '127.0.0.1')
    return heard > 0
  })
  let arrived = 0
  target.on('message', (payload) => {
    if (String(payload) === 'after') arrived += 1
  })
  relay.disconnectDevice(DEVICE)
  for (let n = 0; n < 20; n += 1) {
    const other = createSocket('udp4')
    await new Promise((resolve) => other.send('after', port, '127.0.0.1', resolve))
    player.send('after', port, '127.0.0.1')
    await new Promise((resolve) => setTimeout(resolve, 20))
    other.close()
  }
  t.equal(arrived, 0)
})
