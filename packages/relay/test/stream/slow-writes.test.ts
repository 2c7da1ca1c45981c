import { randomBytes } from 'node:crypto'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { FrameType } from '../../dist/link/protocol.js'
import { Throttle } from '../../dist/players/throttle.js'
import { DataConnection } from '../../dist/stream/data-connection.js'
import { ending, readAll, readBytes, until } from '../support.js'
import { delayWriting, play, socketPair, stopWriting, tlsPair, wire } from './exchange-support.js'

t.test('a connection is ready when all is sent, and given up when that takes too long', async (t) => {
  for (const flushes of [true, false]) {
    const on = await wire(t, { flushTimeoutMs: flushes ? 5_000 : 50 })
    const { left, right, ended } = await play(t, on)
    const answer = readAll(left)
    right.end('answer')
    await answer
    await until(() => on.agentSocket.bytesWritten === on.relaySocket.bytesRead)
    const release = stopWriting(on.relaySocket)
    left.end()
    await until(() => on.relaySocket.writableLength > 0)
    t.equal(on.relay.ready, false)
    if (flushes) {
      release()
      right.resume()
      await ended
      await until(() => on.relay.ready)
    } else await until(() => on.events.includes('relay closed'))
    t.equal(on.events.includes('relay ready'), flushes)
  }
})

t.test('who breaks off behind what cannot be sent closes the connection', async (t) => {
  const on = await wire(t)
  const { left, right, exchanges } = await play(t, on)
  right.write('x')
  await readBytes(left, 1)
  stopWriting(on.relaySocket)
  left.write(Buffer.alloc(100_000))
  await until(() => on.relay.blocked)
  const seen = ending(right)
  exchanges[0]?.cut()
  t.equal(on.relay.closed, true)
  t.equal(await seen, 'ECONNRESET')
})

t.test('PINGs that could not be answered are, with one PONG', async (t) => {
  const [peer, socket] = await socketPair(t)
  const connection = new DataConnection(socket, { flushTimeoutMs: 1_000, onReady: () => {}, onClose: () => {} })
  t.teardown(() => connection.close())
  const release = stopWriting(socket)
  const pong = encodeFrame(FrameType.PONG, Buffer.alloc(0))
  const ping = encodeFrame(FrameType.PING, Buffer.alloc(0))
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => ping))
  peer.write(pings)
  await until(() => socket.bytesRead === pings.length)
  const waiting = socket.writableLength
  t.ok(waiting <= socket.writableHighWaterMark + pong.length, `${waiting} bytes wait`)
  let heard = 0
  peer.on('data', (bytes: Buffer) => {
    heard += bytes.length
  })
  release()
  await until(() => heard >= waiting + pong.length)
  t.equal(heard, waiting + pong.length)
})

t.test('an acceptance does not wait for a word of the target', async (t) => {
  const on = await wire(t)
  await play(t, on)
  await until(() => on.events.includes('accepted'))
  t.same(on.events, ['accepted'])
})

for (const pair of [socketPair, tlsPair])
  t.test(`many CHUNKs of one read to a slow player arrive as they were: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    const { left, right, near } = await play(t, on)
    right.write(Buffer.alloc(400_000))
    await readBytes(left, 400_000)
    const said = randomBytes(300_000)
    const heard = readAll(left)
    delayWriting(near, 5)
    for (let at = 0; at < said.length; at += 100_000) {
      on.relay.hold()
      for (let piece = at; piece < at + 100_000; piece += 5_000) {
        const before = on.agentSocket.bytesWritten
        right.write(said.subarray(piece, piece + 5_000))
        await until(() => on.agentSocket.bytesWritten - before >= 5_000)
      }
      on.relay.resume()
      await until(() => near.writableLength > 0)
    }
    right.end()
    t.ok((await heard).equals(said))
  })

t.test('its turn lets nothing pass to a player who has not taken what came before', async (t) => {
  const on = await wire(t)
  const throttles = { fromNear: new Throttle(), fromFar: new Throttle() }
  throttles.fromFar.setRate(1_000_000)
  const { left, right, near } = await play(t, on, { throttles })
  const said = randomBytes(300_000)
  const release = stopWriting(near)
  right.end(said)
  await until(() => near.writableNeedDrain)
  const most = near.writableLength
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(near.writableLength, most)
  const heard = readAll(left)
  release()
  t.ok((await heard).equals(said))
})

t.test('who leaves while he waits for his turn leaves the queue', async (t) => {
  const waiting = new Set<() => void>()
  class WatchedThrottle extends Throttle {
    override take(bytes: number, turn: () => void): number {
      waiting.add(turn)
      return super.take(bytes, turn)
    }

    override leave(turn: () => void): void {
      waiting.delete(turn)
      super.leave(turn)
    }
  }
  const throttles = { fromNear: new WatchedThrottle(), fromFar: new WatchedThrottle() }
  for (const throttle of Object.values(throttles)) throttle.setRate(10_000)
  const { left, right, exchanges, ended } = await play(t, await wire(t), { throttles })
  left.write(Buffer.alloc(50_000))
  right.write(Buffer.alloc(50_000))
  await until(() => waiting.size === 2)
  exchanges[0]?.cut()
  await ended
  t.equal(waiting.size, 0)
})
