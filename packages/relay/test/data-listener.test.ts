import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { encodeFrame } from '../dist/frame.js'
import { encodeMessage, FrameType } from '../dist/protocol.js'
import { addressOf, dial, ending, readBytes, startEcho, startRelay, startTunnel, until } from './support.js'

t.test('whoever says nothing whole in time is let go', async (t) => {
  const relay = await startRelay(t, { limits: { handshakeTimeoutMs: 30 } })
  const silent = await dial(t, relay.dataPort)
  const partial = await dial(t, relay.dataPort)
  partial.write(encodeFrame(FrameType.LINK, Buffer.alloc(100)).subarray(0, 50))
  t.match(await Promise.all([ending(silent), ending(partial)]), [/end|ECONNRESET/, /end|ECONNRESET/])
})

t.test('what does not belong is let go at once', async (t) => {
  const relay = await startRelay(t)
  const wrong = [
    encodeFrame(99, Buffer.from('{}')),
    encodeFrame(FrameType.LINK, Buffer.from('no json')),
    encodeFrame(FrameType.LINK, Buffer.alloc(4_097)),
    encodeFrame(FrameType.DATA, encodeMessage({ token: 'made-up' })),
    encodeFrame(FrameType.DATA, encodeMessage({ token: 7 })),
    encodeFrame(FrameType.PING, Buffer.alloc(4)),
    Buffer.from('GET / HTTP/1.1\r\nHost: relay\r\n\r\n'),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
  ]
  for (const bytes of wrong) {
    const socket = await dial(t, relay.dataPort)
    socket.write(bytes)
    t.match(await ending(socket), /end|ECONNRESET/)
  }
})

t.test('a refused LINK is told why', async (t) => {
  const relay = await startRelay(t)
  const answers: [object, string][] = [
    [{ protocol: 1, ticket: 'nonsense', version: '1' }, 'ticket_invalid'],
    [{ protocol: 2, ticket: relay.issueTicket('d'), version: '1' }, 'protocol_unsupported'],
  ]
  for (const [message, error] of answers) {
    const socket = await dial(t, relay.dataPort)
    socket.write(encodeFrame(FrameType.LINK, encodeMessage(message)))
    const expected = encodeFrame(FrameType.REFUSED, encodeMessage({ error }))
    t.same(await readBytes(socket, expected.length), expected)
    t.equal(await ending(socket), 'end')
  }
})

t.test('strangers are bounded, in all and from one source, and do not keep agents out', async (t) => {
  const { port: target } = await startEcho(t)
  for (const limit of ['maxHandshakes', 'maxHandshakesPerSource'] as const) {
    const { relay, port } = await startTunnel(t, target, {
      relay: { limits: { [limit]: 3, handshakeTimeoutMs: 60_000 } },
    })
    for (let n = 0; n < 3; n += 1) await dial(t, relay.dataPort)
    const full = await dial(t, relay.dataPort)
    t.match(await ending(full), /end|ECONNRESET/)
    const player = await dial(t, port)
    player.write('through')
    t.equal(String(await readBytes(player, 7)), 'through', 'a data connection that was asked for comes in')
  }
})

t.test('a token works once', async (t) => {
  const relay = await startRelay(t)
  const link = await dial(t, relay.dataPort)
  const { ticket } = addressOf(relay)
  link.write(encodeFrame(FrameType.LINK, encodeMessage({ protocol: 1, ticket, version: '1' })))
  await until(() => relay.devices().length === 1)
  await relay.apply({
    revision: 1,
    allocations: [{ id: 1, deviceId: 'device-1', protocol: 'tcp', port: 0, target: { host: 'localhost', port: 9 } }],
  })
  let text = ''
  link.on('data', (chunk) => {
    text += chunk
  })
  const player = await dial(t, relay.status().allocations[0]?.port ?? 0)
  await until(() => text.includes('"token"'))
  const token = /"token":"([^"]+)"/.exec(text)?.[1]
  const data = encodeFrame(FrameType.DATA, encodeMessage({ token }))
  const first = await dial(t, relay.dataPort)
  first.write(Buffer.concat([data, Buffer.from('hello')]))
  t.equal(String(await readBytes(player, 5)), 'hello', 'bytes behind the first frame belong to the player')
  const second = await dial(t, relay.dataPort)
  second.write(data)
  t.match(await ending(second), /end|ECONNRESET/)
  player.write('still mine')
  t.equal(String(await readBytes(first, 10)), 'still mine')
})

t.test('a link that says what it may not is closed', async (t) => {
  const relay = await startRelay(t)
  for (const bad of [
    encodeFrame(FrameType.OPEN, Buffer.from('{}')),
    encodeFrame(200, Buffer.alloc(0)),
    Buffer.alloc(9, 255),
  ]) {
    const link = await dial(t, relay.dataPort)
    const { ticket } = addressOf(relay)
    link.write(encodeFrame(FrameType.LINK, encodeMessage({ protocol: 1, ticket, version: '1' })))
    await until(() => relay.devices().length === 1)
    link.write(bad)
    t.match(await ending(link), /end|ECONNRESET/)
    await until(() => relay.devices().length === 0)
  }
})

t.test('garbage does no harm', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port, agent } = await startTunnel(t, target)
  const frame = fc
    .tuple(
      fc.nat(12),
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
      const socket = await dial(t, relay.dataPort)
      socket.end(Buffer.concat(chunks))
      socket.resume()
      if (!socket.closed) await once(socket, 'close')
    }),
    { numRuns: 100 },
  )
  const big = await dial(t, relay.dataPort)
  big.write(randomBytes(1_000_000))
  await ending(big)
  t.ok(agent.links()[0]?.connected)
  const player = await dial(t, port)
  player.write('fine')
  t.equal(String(await readBytes(player, 4)), 'fine')
})
