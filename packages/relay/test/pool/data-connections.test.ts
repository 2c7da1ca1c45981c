import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t from 'tap'
import { type AgentLimits, DEFAULT_AGENT_LIMITS } from '../../dist/limits.js'
import { readFirstFrame } from '../../dist/link/first-frame.js'
import { FrameType, MAX_ORDER, parseData, type ShortMessage } from '../../dist/link/protocol.js'
import { SharedPermits } from '../../dist/permits.js'
import { DataConnections } from '../../dist/pool/data-connections.js'
import { DataConnection, type Exchange } from '../../dist/stream/data-connection.js'
import { START } from '../stream/exchange-support.js'
import { startService, until } from '../support.js'

type Test = Pick<typeof t, 'teardown'>

/** An agent's data connections to a relay that is only a port. With TLS they never get through. */
async function startAgentSide(t: Test, given: Partial<AgentLimits> = {}, encryption: 'off' | 'tls' = 'off') {
  const sockets = new Set<Socket>()
  const accepted: { socket: Socket; token: string | undefined }[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    if (encryption === 'tls') {
      accepted.push({ socket, token: undefined })
      socket.resume().on('end', () => socket.destroy())
      return
    }
    readFirstFrame(socket, 1_000, (frame) => {
      // It was given up while it was dialled.
      if (frame === undefined) return void socket.destroy()
      const data = frame.type === FrameType.DATA ? parseData(frame.payload) : undefined
      accepted.push({ socket, token: data?.token })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const limits = { ...DEFAULT_AGENT_LIMITS, ...given }
  const started: Exchange[] = []
  const over: Exchange[] = []
  const permits = new SharedPermits(limits.maxConnections)
  const connections = new DataConnections({
    limits,
    permits,
    onStart: (_id, _message, exchange) => {
      started.push(exchange)
      exchange.onBroken = () => over.push(exchange)
    },
  })
  t.teardown(async () => {
    await connections.stop()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const shorts: ShortMessage[] = []
  const relay = { host: '127.0.0.1', port, encryption }
  const link = () =>
    connections.forLink({
      relayId: 'relay',
      address: { relay, host: relay.host, port },
      short: (message) => shorts.push(message),
    })
  return { connections, link, shorts, sockets, accepted, server, started, over, permits }
}

const tokens = (count: number) => Array.from({ length: count }, (_, n) => `token-${n}`)

t.test('one connection for each token, which it shows', async (t) => {
  const { link, accepted, shorts } = await startAgentSide(t)
  link().order(tokens(40))
  await until(() => accepted.length === 40)
  t.same(new Set(accepted.map(({ token }) => token)), new Set(tokens(40)))
  t.same(shorts, [])
})

t.test('a bounded number is dialled at a time; what cannot be brought is said', async (t) => {
  const limits = { maxDials: 4, relayTimeoutMs: 50 }
  const { link, accepted, sockets, shorts, permits } = await startAgentSide(t, limits, 'tls')
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, sockets.size)
  }, 5)
  t.teardown(() => clearInterval(watch))
  link().order(tokens(10))
  await until(() => shorts.length === 10)
  t.same(new Set(shorts.flatMap((message) => message.tokens)), new Set(tokens(10)))
  t.ok(shorts.every(({ error }) => error === 'agent_busy'))
  // The port may hear of an end after the dial that followed it.
  t.ok(most > 0 && most <= 8, `${most} at a time`)
  // The port may hear of a dial after it was given up.
  await until(() => accepted.length >= 20)
  t.equal(accepted.length, 20, 'each was tried twice')
  t.ok(permits.take('relay'), 'their places are free again')
})

t.test('no more than may be: the rest is short at once, and a place that is free is used again', async (t) => {
  const { link, sockets, shorts } = await startAgentSide(t, { maxConnections: 2 })
  const given = link()
  given.order(tokens(5))
  t.same(shorts, [{ tokens: ['token-2', 'token-3', 'token-4'], error: 'agent_busy' }])
  await until(() => sockets.size === 2)
  for (const socket of sockets) socket.destroy()
  await until(() => {
    shorts.length = 0
    given.order(['again'])
    return shorts.length === 0
  })
  await until(() => sockets.size > 0)
})

t.test('a relay that orders all there is, and does not answer, leaves something for another', async (t) => {
  const limits = { maxConnections: 8, maxDials: 4, relayTimeoutMs: 60_000 }
  const { connections, link, accepted, shorts, permits } = await startAgentSide(t, limits)
  const { port } = await startService(t, () => {})
  for (const relayId of ['relay', 'hostile']) permits.join(relayId)
  const hostile = connections.forLink({
    relayId: 'hostile',
    address: { relay: { host: '127.0.0.1', port }, host: '127.0.0.1', port },
    short: () => {},
  })
  const honest = link()
  hostile.order(tokens(MAX_ORDER))
  honest.order(['one', 'two'])
  await until(() => accepted.length === 2)
  t.same(shorts, [])
})

t.test('where there are too few dials to keep some for each relay, they take turns', async (t) => {
  const { connections, link, accepted } = await startAgentSide(t, { maxDials: 1, relayTimeoutMs: 50 })
  let dialled = 0
  const { port } = await startService(t, () => {
    dialled += 1
  })
  const slow = connections.forLink({
    relayId: 'slow',
    address: { relay: { host: '127.0.0.1', port }, host: '127.0.0.1', port },
    short: () => {},
  })
  slow.order(tokens(20))
  link().order(['one', 'two', 'three'])
  await until(() => accepted.length === 3)
  t.ok(dialled < 15, `after ${dialled} of 20`)
})

t.test('when the link is gone those ready are closed, and those in use when they are no longer', async (t) => {
  const { link, accepted, sockets, started, shorts } = await startAgentSide(t)
  const [first, second] = [link(), link()]
  first.order(['ready', 'used'])
  await until(() => accepted.length === 2)
  second.order(['of another link'])
  await until(() => accepted.length === 3)
  const socketOf = (wanted: string) => accepted.find(({ token }) => token === wanted)?.socket as Socket
  const [ready, used, other] = [socketOf('ready'), socketOf('used'), socketOf('of another link')]
  const relaySide = new DataConnection(used, { flushTimeoutMs: 1_000, onReady: () => {}, onClose: () => {} })
  const exchange = relaySide.start(START, { onAccept: () => {}, onRefuse: () => {} })
  await until(() => started.length === 1)
  first.order(['too late'])
  first.retire()
  first.order(['far too late'])
  for (const socket of [ready, other]) socket.resume()
  await until(() => ready.readableEnded)
  ready.destroy()
  await until(() => sockets.size === 2)
  exchange.cut()
  started[0]?.refuse('target_refused')
  await until(() => relaySide.closed)
  t.notOk(other.readableEnded, 'of another link')
  t.same(shorts, [])
})

t.test('that the relay is done with a player is said once, before his target is reached too', async (t) => {
  const { link, accepted, started, over } = await startAgentSide(t)
  link().order(['used', 'lost'])
  await until(() => accepted.length === 2)
  const [used, lost] = accepted.map(({ socket }) => {
    const connection = new DataConnection(socket, { flushTimeoutMs: 1_000, onReady: () => {}, onClose: () => {} })
    return { socket, exchange: connection.start(START, { onAccept: () => {}, onRefuse: () => {} }), connection }
  })
  await until(() => started.length === 2)
  t.same(over, [])
  used?.exchange.cut()
  await until(() => over.length === 1)
  lost?.socket.resetAndDestroy()
  await until(() => over.length === 2)
  t.equal(new Set(over).size, 2)
  await until(() => used?.connection.ready)
  used?.connection.close()
  await until(() => used?.connection.closed)
  t.equal(over.length, 2)
})
