import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { createTicketIssuer } from '../../dist/identity/tickets.js'
import { encodeFrame } from '../../dist/link/frame.js'
import { encodeMessage, FrameType, MAX_ORDER, PROTOCOL_VERSION } from '../../dist/link/protocol.js'
import {
  addressOf,
  allocation,
  dial,
  dialData,
  ending,
  portOf,
  readBytes,
  startEcho,
  startRelay,
  startTunnel,
  until,
} from '../support.js'

function linkFrame(ticket: string): Buffer {
  return encodeFrame(FrameType.LINK, encodeMessage({ protocol: PROTOCOL_VERSION, ticket, version: '1' }))
}

t.test('whoever says nothing whole in time is let go', async (t) => {
  const relay = await startRelay(t, { limits: { handshakeTimeoutMs: 1_500 } })
  const below = ending(await dial(t, relay.dataPort))
  const silent = ending(await dialData(t, relay))
  const socket = await dialData(t, relay)
  socket.write(encodeFrame(FrameType.LINK, Buffer.alloc(100)).subarray(0, 50))
  for (const end of [below, silent, ending(socket)]) t.match(await end, /end|ECONNRESET/)
})

t.test('what does not belong is let go at once', async (t) => {
  // For the beginning of a TLS record, of which the rest is waited for.
  const relay = await startRelay(t, { limits: { handshakeTimeoutMs: 2_000 } })
  const wrong = [
    encodeFrame(99, Buffer.from('{}')),
    encodeFrame(FrameType.LINK, Buffer.from('no json')),
    encodeFrame(FrameType.LINK, Buffer.alloc(4_097)),
    encodeFrame(FrameType.DATA, encodeMessage({ token: 'made-up' })),
    encodeFrame(FrameType.DATA, encodeMessage({ token: 7 })),
    encodeFrame(FrameType.PING, Buffer.alloc(4)),
    encodeFrame(FrameType.START, encodeMessage({})),
    encodeFrame(FrameType.DATAGRAMS, encodeMessage({ channel: '0123456789abcdef', proof: 'made-up' })),
    Buffer.from('GET / HTTP/1.1\r\nHost: relay\r\n\r\n'),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
  ]
  for (const bytes of wrong) {
    const sockets = [await dial(t, relay.dataPort), await dialData(t, relay)]
    for (const socket of sockets) socket.write(bytes)
    for (const how of await Promise.all(sockets.map(ending))) t.match(how, /end|ECONNRESET|close/)
  }
})

t.test('a refused LINK is told why', async (t) => {
  const relay = await startRelay(t)
  const link = async (ticket: string, protocol: number = PROTOCOL_VERSION) => {
    const socket = await dialData(t, relay)
    socket.write(encodeFrame(FrameType.LINK, encodeMessage({ protocol, ticket, version: '1' })))
    return socket
  }
  const used = relay.issueTicket('d')
  const linked = await link(used)
  await until(() => relay.devices().some(({ deviceId }) => deviceId === 'd'), 'of the device in the ticket')
  const revoked = relay.issueTicket('e')
  relay.disconnectDevice('e')
  const expired = relay.issueTicket('d', { expiresInMs: 1 })
  const issuedAt = Date.now()
  await until(() => Date.now() > issuedAt + 1)
  const foreign = createTicketIssuer('another relay', relay.ticketKey).issue('d', { grant: 'g' })
  const forged = createTicketIssuer(relay.id, randomBytes(32)).issue('d', { grant: 'g' })
  const answers: [ticket: string, error: string, protocol?: number][] = [
    ['nonsense', 'ticket_invalid'],
    [used, 'ticket_used'],
    [revoked, 'ticket_revoked'],
    [expired, 'ticket_expired'],
    [foreign, 'ticket_invalid'],
    [forged, 'ticket_invalid'],
    [relay.issueTicket('d'), 'protocol_unsupported', 1],
  ]
  for (const [ticket, error, protocol] of answers) {
    const socket = await link(ticket, protocol)
    const expected = encodeFrame(FrameType.REFUSED, encodeMessage({ error }))
    t.same(await readBytes(socket, expected.length), expected)
    t.equal(await ending(socket), 'end')
  }
  t.notOk(linked.readableEnded, 'the link that there is stays')
  t.equal(relay.devices().length, 1)
})

t.test('strangers are bounded, in all and from one source, and do not keep agents out', async (t) => {
  const { port: target } = await startEcho(t)
  for (const limit of ['maxHandshakes', 'maxHandshakesPerSource'] as const) {
    const { relay, port } = await startTunnel(t, target, {
      relay: { limits: { [limit]: 3, handshakeTimeoutMs: 60_000 } },
    })
    await until(() => relay.statistics().readyConnections === 1, 'no data connection is expected any more')
    for (let n = 0; n < 3; n += 1) await dial(t, relay.dataPort)
    const full = await dial(t, relay.dataPort)
    t.match(await ending(full), /end|ECONNRESET/)
    const player = await dial(t, port)
    player.write('through')
    t.equal(String(await readBytes(player, 7)), 'through', 'a data connection that was asked for comes in')
  }
})

t.test('who is refused and does not leave is a stranger as long as he stays', async (t) => {
  const relay = await startRelay(t, { limits: { maxHandshakesPerSource: 3, handshakeTimeoutMs: 60_000 } })
  const refused = async () => {
    const socket = await dialData(t, relay)
    socket.write(linkFrame('nonsense'))
    t.equal((await readBytes(socket, 1))[0], FrameType.REFUSED)
    return socket
  }
  // He is given a second to leave, in which another has to come.
  const letGo = async () => {
    const stay = [await refused(), await refused(), await refused()]
    const another = await dial(t, relay.dataPort)
    const how = await Promise.race([ending(another), new Promise((resolve) => setTimeout(resolve, 300, 'taken'))])
    for (const socket of [...stay, another]) socket.destroy()
    return how !== 'taken'
  }
  await until(() => letGo().catch(() => false))
  await until(() => refused().catch(() => false), 'there is room again')
})

t.test('a token works once, for its own relay, and not after its time', async (t) => {
  const relay = await startRelay(t, { limits: { openTimeoutMs: 2_000 } })
  const link = await dialData(t, relay)
  let text = ''
  link.on('data', (chunk) => {
    text += chunk
  })
  link.write(linkFrame(addressOf(relay).ticket))
  await until(() => relay.devices().length === 1)
  await relay.apply({ revision: 1, allocations: [allocation(1, 9)] })
  const tokens = () => [...text.matchAll(/"tokens":(\[[^\]]+\])/g)].flatMap(([, list = '[]']) => JSON.parse(list))
  const show = async (token: string) => {
    const socket = await dialData(t, relay)
    socket.write(encodeFrame(FrameType.DATA, encodeMessage({ token })))
    return socket
  }
  await until(() => tokens().length === 1, 'one is ordered to be ready')
  const [token] = tokens()
  const first = await show(token)
  t.match(await ending(await show(token)), /end|ECONNRESET|close/)
  const player = await dial(t, portOf(relay, 1))
  player.write('hello')
  t.equal((await readBytes(first, 1))[0], FrameType.START)
  await until(() => tokens().length > 1, 'its replacement is ordered')
  const unused = tokens().at(-1)
  await until(() => tokens().at(-1) !== unused, 'given up, and ordered anew')
  t.match(await ending(await show(unused)), /end|ECONNRESET|close/)
})

t.test('a link that says what it may not is closed', async (t) => {
  const relay = await startRelay(t)
  for (const bad of [
    encodeFrame(FrameType.ORDER, encodeMessage({ tokens: ['a'] })),
    encodeFrame(FrameType.SHORT, encodeMessage({ tokens: Array(MAX_ORDER + 1).fill('a'), error: 'agent_busy' })),
    encodeFrame(200, Buffer.alloc(0)),
    Buffer.alloc(9, 255),
  ]) {
    const link = await dialData(t, relay)
    link.write(linkFrame(addressOf(relay).ticket))
    await until(() => relay.devices().length === 1)
    link.write(bad)
    t.match(await ending(link), /end|ECONNRESET|close/)
    await until(() => relay.devices().length === 0)
  }
})

t.test('garbage does no harm', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port, agent } = await startTunnel(t, target)
  const frame = fc
    .tuple(
      fc.nat(24),
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.json().map((text) => Buffer.from(text).subarray(0, 4_000)),
      ),
    )
    .map(([type, payload]) => encodeFrame(type, payload))
  const bytes = fc.oneof(
    frame,
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((array) => Buffer.from(array)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 4 }), async (chunks) => {
      const socket = await dialData(t, relay)
      socket.end(Buffer.concat(chunks))
      socket.resume()
      if (!socket.closed) await once(socket, 'close')
    }),
    { numRuns: 100 },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 4 }), async (chunks) => {
      const socket = await dialData(t, relay)
      socket.write(linkFrame(relay.issueTicket('garbled')))
      socket.end(Buffer.concat(chunks))
      socket.resume()
      if (!socket.closed) await once(socket, 'close')
    }),
    { numRuns: 50 },
  )
  await until(() => relay.devices().length === 1)
  for (const big of [await dial(t, relay.dataPort), await dialData(t, relay)]) {
    big.write(randomBytes(1_000_000))
    await ending(big)
  }
  t.ok(agent.links()[0]?.connected)
  const player = await dial(t, port)
  player.write('fine')
  t.equal(String(await readBytes(player, 4)), 'fine')
})
