import fc from 'fast-check'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { FrameType, MAX_CHUNK_BYTES } from '../../dist/link/protocol.js'
import { DataConnection, type Exchange } from '../../dist/stream/data-connection.js'
import { ending, until } from '../support.js'
import { START, socketPair } from './exchange-support.js'

const RUNS = 150

const types = fc.oneof(
  fc.constantFrom(
    FrameType.START,
    FrameType.ACCEPT,
    FrameType.REFUSE,
    FrameType.CHUNK,
    FrameType.END,
    FrameType.ABORT,
    FrameType.RESET,
  ),
  fc.nat(255),
)
const payloads = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.constant(Buffer.from(JSON.stringify(START))),
  fc.constant(Buffer.from('{"error":"target_refused"}')),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)
const frames = fc
  .tuple(types, payloads, fc.constantFrom(undefined, 0, 1, MAX_CHUNK_BYTES + 1, 0xffffffff))
  .map(([type, payload, announced]) => {
    const frame = encodeFrame(type, payload)
    if (announced !== undefined) frame.writeUInt32BE(announced, 1)
    return frame
  })
const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
/** What a peer says, in pieces of these sizes. */
const speeches = fc.record({
  said: fc.array(fc.oneof({ arbitrary: frames, weight: 4 }, noise), { maxLength: 12 }),
  sizes: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }),
  side: fc.constantFrom('relay' as const, 'agent' as const),
  answer: fc.constantFrom('accept' as const, 'refuse' as const, 'nothing' as const),
})

t.test('whatever a peer says in whatever pieces, nothing throws and all comes to an end', async (t) => {
  await fc.assert(
    fc.asyncProperty(speeches, async ({ said, sizes, side, answer }) => {
      const teardowns: (() => unknown)[] = []
      const scope = { teardown: (handler: () => unknown) => void teardowns.push(handler) }
      const [peer, socket] = await socketPair(scope)
      let closed = 0
      let running = 0
      const begin = async (exchange: Exchange) => {
        if (answer === 'nothing') return
        if (answer === 'refuse') return exchange.refuse('agent_busy')
        running += 1
        const [other, near] = await socketPair(scope)
        other.resume()
        other.end('something')
        exchange.accept()
        exchange.join(near, { onClose: () => (running -= 1) })
      }
      const connection = new DataConnection(socket, {
        flushTimeoutMs: 1_000,
        onReady: () => {},
        onClose: () => (closed += 1),
        ...(side === 'agent' && { onStart: (_message: unknown, exchange: Exchange) => void begin(exchange) }),
      })
      if (side === 'relay') await begin(connection.start(START, { onAccept: () => {}, onRefuse: () => {} }))
      peer.resume()
      const all = Buffer.concat(said)
      let at = 0
      for (const size of [...sizes, all.length]) {
        if (at >= all.length || !peer.writable) break
        await new Promise((resolve) => peer.write(all.subarray(at, at + size), resolve))
        at += size
      }
      peer.end()
      // A held connection does not read its peer's end; whoever holds it ends it.
      if (answer === 'nothing') connection.close()
      await until(() => closed === 1 && running === 0, 'closed, and so is every exchange')
      for (const handler of teardowns) handler()
      await until(() => peer.destroyed)
    }),
    { numRuns: RUNS },
  )
  t.pass()
})

t.test('a reset in the middle of anything ends it', async (t) => {
  const whole = Buffer.concat([
    encodeFrame(FrameType.START, Buffer.from(JSON.stringify(START))),
    encodeFrame(FrameType.CHUNK, Buffer.alloc(100)),
    encodeFrame(FrameType.END, Buffer.alloc(0)),
  ])
  for (let cut = 0; cut <= whole.length; cut += 7) {
    const [peer, socket] = await socketPair(t)
    const [other, near] = await socketPair(t)
    let closed = false
    let joined = false
    const connection = new DataConnection(socket, {
      flushTimeoutMs: 1_000,
      onReady: () => {},
      onClose: () => {
        closed = true
      },
      onStart: (_message, exchange) => {
        joined = true
        exchange.accept()
        exchange.join(near, { onClose: () => {} })
      },
    })
    const seen = ending(other)
    await new Promise((resolve) => peer.write(whole.subarray(0, cut), resolve))
    await until(() => socket.bytesRead === cut)
    peer.resetAndDestroy()
    await until(() => closed)
    t.equal(connection.ready, false)
    if (joined) t.match(await seen, cut === whole.length ? /end|ECONNRESET/ : 'ECONNRESET')
    else near.destroy()
  }
})
