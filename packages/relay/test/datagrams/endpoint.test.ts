import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { ItemKind, readItems, writeItem } from '../../dist/datagrams/channel-items.js'
import { channelOf } from '../../dist/datagrams/channel-packet.js'
import { ChannelSession } from '../../dist/datagrams/channel-session.js'
import { ChannelStream } from '../../dist/datagrams/channel-stream.js'
import { RelayDatagramEndpoint } from '../../dist/datagrams/relay-datagram-endpoint.js'
import { udpSocket, until } from '../support.js'
import { makeSecrets } from './channel-pair.js'

const LIMITS = { maxUdpBufferBytes: 262_144 }
const NOTHING = Buffer.alloc(0)

/** Answers the relay's PINGs, as agents do. */
function answerPings(socket: DatagramSocket, port: number, sessions: ChannelSession[]): void {
  const byChannel = new Map(sessions.map((session) => [session.channel, session]))
  socket.on('message', (packet) => {
    const session = byChannel.get(channelOf(packet))
    const opened = session?.open(packet)
    if (session === undefined || opened?.ok !== true) return
    readItems(opened.bundle, (kind, id) => {
      if (kind === ItemKind.PING) socket.send([...pingOrPong(session, ItemKind.PONG, id)], port, '127.0.0.1')
    })
  })
}

function pingOrPong(session: ChannelSession, kind: number, id: number): readonly Uint8Array[] {
  const bundle = Buffer.alloc(7)
  writeItem(bundle, 0, kind, id, NOTHING)
  return session.seal(bundle) ?? []
}

t.test('junk costs nothing but its count, with a known channel or none', async (t) => {
  const endpoint = new RelayDatagramEndpoint('127.0.0.1')
  t.teardown(() => endpoint.close())
  const port = await endpoint.listen(0)
  const secrets = makeSecrets()
  const items: number[] = []
  const channel = endpoint.open({ limits: LIMITS, onItem: (kind) => items.push(kind) })
  channel.attach(secrets)
  const agent = new ChannelSession('agent', secrets)
  const socket = await udpSocket(t)
  const head = Buffer.alloc(8)
  head.writeBigUInt64BE(secrets.channel)
  let sent = 0
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, known) => {
      const packet = known ? Buffer.concat([head, bytes]) : Buffer.from(bytes)
      socket.send(packet, port, '127.0.0.1')
      sent += 1
      const { unknown, forged } = endpoint.dropped
      await until(() => endpoint.dropped.unknown + endpoint.dropped.forged > unknown + forged || sent === 0, 'counted')
    }),
    { numRuns: 200 },
  )
  t.equal(channel.path, undefined)
  t.same(items, [])
  answerPings(socket, port, [agent])
  // Sealed as they should be, but with anything inside.
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const packet = agent.seal(Buffer.from(bytes))
      if (packet !== undefined) socket.send([...packet], port, '127.0.0.1')
    }),
    { numRuns: 300 },
  )
  await until(() => channel.path === 'udp', 'authentic packets')
  t.ok(items.every((kind) => kind < 32))
})

t.test('a port that is taken is refused, and the endpoint can try another', async (t) => {
  const taken = await udpSocket(t)
  const endpoint = new RelayDatagramEndpoint('127.0.0.1')
  t.teardown(() => endpoint.close())
  await t.rejects(endpoint.listen(taken.port), { code: 'EADDRINUSE' })
  t.ok((await endpoint.listen(0)) > 0)
})

t.test('thousands of devices at rest cost no timers', async (t) => {
  const endpoint = new RelayDatagramEndpoint('127.0.0.1')
  t.teardown(() => endpoint.close())
  const port = await endpoint.listen(0)
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.setRecvBufferSize(2_000_000)
  const secrets = Array.from({ length: 500 }, () => makeSecrets())
  const sessions = secrets.map((each) => new ChannelSession('agent', each))
  answerPings(socket, port, sessions)
  const channels = secrets.map((each) => {
    const channel = endpoint.open({ limits: LIMITS, onItem: () => {} })
    channel.attach(each)
    return channel
  })
  for (const session of sessions) socket.send([...pingOrPong(session, ItemKind.PING, 1)], port, '127.0.0.1')
  await until(() => channels.every(({ path }) => path === 'udp'), 'all heard')
  await until(() => endpoint.clock.size === 0, 'nobody on the clock')
})

/** Two connected sockets. */
async function streamPair(t: { teardown(handler: () => unknown): void }): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [far] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far]
}

t.test('a stream that nobody reads holds little and drops the oldest', async (t) => {
  const [near, far] = await streamPair(t)
  far.pause()
  const noop = () => {}
  const options = { maxBufferBytes: 262_144, onItem: noop, onEnd: noop, onClose: noop }
  const stream = new ChannelStream(near, options)
  const payload = Buffer.alloc(1_200)
  const count = 20_000
  for (let index = 0; index < count; index += 1) {
    payload.writeUInt32BE(index)
    stream.send(4, index, payload)
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(stream.dropped > 20_000_000, `${stream.dropped} bytes dropped`)
  t.ok(near.writableLength < 100_000)
  const flows: number[] = []
  const reader = new ChannelStream(far, { ...options, onItem: (_, flow) => flows.push(flow) })
  await until(() => flows.at(-1) === count - 1, 'the newest arrives')
  t.ok(flows.length < 1_000, `${flows.length} of ${count} came`)
  t.same(
    flows,
    [...flows].sort((a, b) => a - b),
  )
  stream.end()
  reader.end()
  await until(() => near.destroyed && far.destroyed, 'closed')
})

t.test('a flow that fills a slow stream takes no place from the others', async (t) => {
  const [near, far] = await streamPair(t)
  far.pause()
  const noop = () => {}
  const options = { maxBufferBytes: 262_144, onItem: noop, onEnd: noop, onClose: noop }
  const stream = new ChannelStream(near, options)
  const large = Buffer.alloc(65_507)
  const small = Buffer.alloc(100)
  let kept = 0
  for (let index = 0; index < 3_000; index += 1) {
    if (stream.send(ItemKind.DATA, 1, large)) kept += 1
    if (index % 30 === 0) t.equal(stream.send(ItemKind.DATA, 2, small), true)
    // Of the channel itself, whatever its number.
    if (index % 300 === 0) t.equal(stream.send(ItemKind.PING, 1, NOTHING), true)
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(kept < 100, `${kept} large ones were taken`)
  const got = new Map<number, number>()
  const onItem = (_kind: number, flow: number) => got.set(flow, (got.get(flow) ?? 0) + 1)
  const reader = new ChannelStream(far, { ...options, onItem })
  await until(() => (got.get(2) ?? 0) === 100, 'all small ones')
  await until(() => stream.send(ItemKind.DATA, 1, large), 'and the flow may send again')
  stream.end()
  reader.end()
  await until(() => near.destroyed && far.destroyed, 'closed')
})
