import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { FrameType } from '../../dist/link/protocol.js'
import { DataConnection } from '../../dist/stream/data-connection.js'
import { ending, readAll, readBytes, until } from '../support.js'
import { delayWriting, eventPair, play, socketPair, stopWriting, tlsPair, wire } from './exchange-support.js'

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

for (const pair of [socketPair, tlsPair, eventPair])
  t.test(`a slow reader holds the writer back and little is held between them: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    for (const turned of [false, true]) {
      const player = await play(t, on)
      const [first, second] = turned ? [player.right, player.left] : [player.left, player.right]
      second.pause()
      const chunk = Buffer.alloc(65_536, 3)
      let written = 0
      const pump = () => {
        while (written < 64 * 1024 * 1024) {
          written += chunk.length
          if (!first.write(chunk)) break
        }
      }
      first.on('drain', pump)
      pump()
      const { near, far, counted } = player
      let before = -1
      let stillSince = performance.now()
      await until(() => {
        const passed = turned ? counted.fromFar : counted.fromNear
        if (passed !== before) stillSince = performance.now()
        before = passed
        return performance.now() - stillSince > 100
      })
      for (const socket of [near, far, on.relaySocket, on.agentSocket]) {
        t.ok(socket.writableLength <= 512 * 1024, `waits to be sent: ${socket.writableLength}`)
        t.ok(socket.readableLength <= 512 * 1024, `was read: ${socket.readableLength}`)
      }
      t.ok(written < 64 * 1024 * 1024, 'the writer is held back')
      first.off('drain', pump)
      const total = written
      t.equal((await readBytes(second, total)).length, total, 'and nothing is lost')
      first.end()
      second.end()
      first.resume()
      second.resume()
      await player.ended
      await until(() => on.relay.ready)
    }
  })

t.test('a last reader that takes nothing is given up', async (t) => {
  const on = await wire(t, { flushTimeoutMs: 50 })
  const { left, right, far, counted, ended } = await play(t, on)
  right.pause()
  right.end()
  left.resume()
  await once(left, 'end')
  // Until there is something left to send, and no more, so that the end is read while it waits.
  const chunk = Buffer.alloc(12_288)
  let sent = 0
  while (far.writableLength === 0) {
    left.write(chunk)
    sent += chunk.length
    await until(() => counted.fromNear === sent)
  }
  left.end()
  const [relay, agent] = await ended
  t.equal(agent.reason, 'reset')
  t.equal(relay.reason, 'end')
})

for (const pair of [socketPair, tlsPair])
  t.test(`a frame behind a write that waits holds up nothing that comes after it: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    const { left, right, counted, ended } = await play(t, on)
    const heard = readAll(right)
    const hash = createHash('sha256')
    let sent = 0
    const say = async (bytes: number) => {
      const piece = randomBytes(bytes)
      hash.update(piece)
      sent += bytes
      left.write(piece)
      while (counted.fromNear < sent) await new Promise((resolve) => setImmediate(resolve))
    }
    const isStuck = async () => {
      const deadline = performance.now() + 100
      while (on.relaySocket.writableLength > 0 && performance.now() < deadline)
        await new Promise((resolve) => setImmediate(resolve))
      return on.relaySocket.writableLength > 0
    }
    // Much at once, for a buffer of its own; then pieces that are lent, and too small for Node to tell when they are sent.
    await say(400_000)
    do {
      on.agent.hold()
      await say(5_003)
    } while (!(await isStuck()))
    const waiting = on.relaySocket.writableLength
    t.ok(waiting < on.relaySocket.writableHighWaterMark, `${waiting} bytes wait`)
    on.relay.ping()
    t.ok(on.relaySocket.writableLength > waiting, 'and a frame behind them')
    on.agent.resume()
    const rest = randomBytes(300_000)
    hash.update(rest)
    left.end(rest)
    t.equal(
      createHash('sha256')
        .update(await heard)
        .digest('hex'),
      hash.digest('hex'),
    )
    right.end()
    left.resume()
    await ended
  })
