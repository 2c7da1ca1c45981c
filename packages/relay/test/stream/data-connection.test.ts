import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { FrameType, MAX_CHUNK_BYTES } from '../../dist/link/protocol.js'
import { Throttle } from '../../dist/players/throttle.js'
import type { Exchange } from '../../dist/stream/data-connection.js'
import { ending, readAll, readBytes, until, within } from '../support.js'
import { eventPair, play, START, socketPair, tlsPair, wire } from './exchange-support.js'

for (const pair of [socketPair, tlsPair, eventPair])
  t.test(`bytes pass both ways and are counted exactly: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    const { left, right, ended, counted } = await play(t, on)
    const fromLeft = readAll(right)
    const fromRight = readAll(left)
    left.end(Buffer.alloc(1_234_567, 1))
    right.end(Buffer.alloc(7_654_321, 2))
    t.ok((await fromLeft).equals(Buffer.alloc(1_234_567, 1)))
    t.ok((await fromRight).equals(Buffer.alloc(7_654_321, 2)))
    const [relay, agent] = await ended
    t.same(relay, { reason: 'end', counts: { fromNear: 1_234_567, fromFar: 7_654_321 } })
    t.same(agent, { reason: 'end', counts: { fromNear: 7_654_321, fromFar: 1_234_567 } })
    t.same(counted, relay.counts)
  })

for (const pair of [socketPair, tlsPair, eventPair])
  t.test(`serves one player after another, whether they end or break off: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    t.equal(on.relay.ready, true)
    for (const how of ['end', 'reset', 'cut', 'end'] as const) {
      on.events.length = 0
      const { left, right, exchanges, ended } = await play(t, on)
      t.equal(on.relay.ready, false)
      left.write('question')
      t.equal(String(await readBytes(right, 8)), 'question')
      right.write('answer')
      t.equal(String(await readBytes(left, 6)), 'answer')
      const seen = ending(right)
      if (how === 'end') {
        left.end()
        right.end()
        left.resume()
      } else if (how === 'reset') left.resetAndDestroy()
      else exchanges[0]?.cut()
      t.equal(await seen, how === 'end' ? 'end' : 'ECONNRESET')
      t.same(
        (await ended).map(({ reason }) => reason),
        [how, how === 'cut' ? 'reset' : how],
      )
      await until(() => on.events.length === 3)
      t.same(on.events.sort(), ['accepted', 'agent ready', 'relay ready'], 'once each')
      t.equal(on.relay.ready, true)
    }
  })

t.test('after an end on one side the other direction goes on', async (t) => {
  const on = await wire(t)
  for (const turned of [false, true]) {
    const player = await play(t, on)
    const [first, second] = turned ? [player.right, player.left] : [player.left, player.right]
    const question = readAll(second)
    first.end('question')
    t.equal(String(await question), 'question')
    const answer = readAll(first)
    second.write('answer, ')
    second.end('at length')
    t.equal(String(await answer), 'answer, at length')
    t.same(
      (await player.ended).map(({ reason }) => reason),
      ['end', 'end'],
    )
    await until(() => on.relay.ready)
  }
})

t.test('a reset on one side resets the other', async (t) => {
  const on = await wire(t)
  for (const turned of [false, true]) {
    const player = await play(t, on)
    const [first, second] = turned ? [player.right, player.left] : [player.left, player.right]
    second.write('x')
    await readBytes(first, 1)
    const seen = ending(second)
    first.resetAndDestroy()
    t.equal(await seen, 'ECONNRESET')
    await player.ended
    await until(() => on.relay.ready)
  }
})

for (const pair of [socketPair, tlsPair, eventPair])
  t.test(`a connection that is lost resets both its players ends: ${pair.name}`, async (t) => {
    for (const lose of [
      ({ agentSocket }: { agentSocket: Socket }) => agentSocket.destroy(),
      ({ relaySocket }: { relaySocket: Socket }) => relaySocket.end(),
      ({ agent }: { agent: { close(): void } }) => agent.close(),
    ]) {
      const on = await wire(t, { pair })
      const { left, right, ended } = await play(t, on)
      left.write('x')
      await readBytes(right, 1)
      const seen = [ending(left), ending(right)]
      lose(on)
      t.same(await Promise.all(seen), ['ECONNRESET', 'ECONNRESET'])
      t.same(
        (await ended).map(({ reason }) => reason),
        ['reset', 'reset'],
      )
      await until(() => on.events.includes('relay closed') && on.events.includes('agent closed'))
      t.equal(on.relay.closed, true)
      t.equal(on.relay.ready, false)
      t.notOk(on.events.includes('relay ready'))
    }
  })

t.test('a ready connection notices that its peer is gone', async (t) => {
  for (const lose of [
    ({ agent }: { agent: { close(): void } }) => agent.close(),
    ({ relay }: { relay: { close(): void } }) => relay.close(),
    ({ agentSocket }: { agentSocket: Socket }) => agentSocket.resetAndDestroy(),
  ]) {
    const on = await wire(t)
    lose(on)
    await until(() => on.events.length === 2)
    t.same(on.events.sort(), ['agent closed', 'relay closed'])
  }
})

t.test('a refused player leaves the connection ready', async (t) => {
  const on = await wire(t)
  const [left, near] = await socketPair(t)
  left.write('what the player says meanwhile is discarded')
  const refused = await new Promise((resolve) => {
    const exchange = on.relay.start(START, { onAccept: () => {}, onRefuse: resolve })
    exchange.send(Buffer.from('PROXY'))
    exchange.join(near, { onClose: (reason) => on.events.push(reason) })
  })
  t.equal(refused, 'agent_busy')
  t.match(await ending(left), /end|ECONNRESET/)
  await until(() => on.events.length === 3)
  t.same(on.events.sort(), ['agent ready', 'relay ready', 'reset'])
  const { left: next, right, ended } = await play(t, on)
  next.end('next')
  t.equal(String(await readAll(right)), 'next')
  right.end()
  next.resume()
  await ended
})

t.test('what is said before the target is reached arrives, and so does the end', async (t) => {
  const on = await wire(t)
  const [left, near] = await socketPair(t)
  const [right, far] = await socketPair(t)
  const started = new Promise<Parameters<typeof on.onStart>[0]>((resolve) => {
    on.onStart = resolve
  })
  near.unshift(Buffer.from('first '))
  const exchange = on.relay.start(START, { onAccept: () => {}, onRefuse: () => {} })
  exchange.send(Buffer.from('header '))
  let counts: unknown
  exchange.join(near, {
    onClose: (_reason, total) => {
      counts = total
    },
  })
  left.end('second')
  const theirs = await started
  await once(near, 'end')
  theirs.accept()
  theirs.join(far, { onClose: () => {} })
  t.equal(String(await readAll(right)), 'header first second')
  right.end()
  left.resume()
  await until(() => counts)
  t.same(counts, { fromNear: 12, fromFar: 0 }, 'a header in front is nothing the player said')
})

t.test('a player who left before the join', async (t) => {
  const on = await wire(t)
  const [, near] = await socketPair(t)
  near.destroy()
  await once(near, 'close')
  const [right, far] = await socketPair(t)
  const seen = ending(right)
  on.onStart = (exchange) => {
    exchange.accept()
    exchange.join(far, { onClose: (reason) => on.events.push(`agent ${reason}`) })
  }
  const exchange = on.relay.start(START, { onAccept: () => {}, onRefuse: () => {} })
  exchange.join(near, { onClose: (reason) => on.events.push(`relay ${reason}`) })
  t.same(on.events, [], 'never within the call')
  t.equal(await seen, 'ECONNRESET')
  await until(() => on.events.length === 4)
  t.same(on.events.sort(), ['agent ready', 'agent reset', 'relay ready', 'relay reset'])
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

t.test('frames that are out of place close the connection', async (t) => {
  const empty = Buffer.alloc(0)
  const start = encodeFrame(FrameType.START, Buffer.from(JSON.stringify(START)))
  const oversize = encodeFrame(FrameType.CHUNK, empty)
  oversize.writeUInt32BE(MAX_CHUNK_BYTES + 1, 1)
  const accepted = encodeFrame(FrameType.ACCEPT, empty)
  const cases: [side: 'relay' | 'agent', frames: Buffer[]][] = [
    ['relay', [start]],
    ['relay', [accepted]],
    ['relay', [encodeFrame(FrameType.END, empty)]],
    ['agent', [encodeFrame(FrameType.CHUNK, Buffer.from('x'))]],
    ['agent', [encodeFrame(FrameType.START, Buffer.from('{}'))]],
    ['agent', [encodeFrame(FrameType.START, Buffer.alloc(4_097))]],
    ['agent', [start, accepted]],
    ['agent', [start, start]],
    ['agent', [start, oversize]],
    ['agent', [start, encodeFrame(FrameType.END, empty), encodeFrame(FrameType.END, empty)]],
    ['agent', [start, encodeFrame(FrameType.CHUNK, empty)]],
    ['agent', [encodeFrame(FrameType.LINK, empty)]],
    ['agent', [encodeFrame(99, empty)]],
  ]
  for (const [side, frames] of cases) {
    const on = await wire(t)
    on.onStart = () => {}
    // As their peer would say it.
    const socket = side === 'relay' ? on.agentSocket : on.relaySocket
    socket.write(Buffer.concat(frames))
    await until(() => on.events.includes(`${side} closed`))
    t.notOk(on.events.includes(`${side} ready`))
  }
})

t.test('the next player may follow in the same packet as the last frame of the one before', async (t) => {
  const [peer, socket] = await socketPair(t)
  const { DataConnection } = await import('../../dist/stream/data-connection.js')
  const events: string[] = []
  new DataConnection(socket, {
    flushTimeoutMs: 1_000,
    onReady: () => events.push('ready'),
    onClose: () => events.push('closed'),
    onStart: (message, exchange) => {
      events.push(`start ${message.remotePort}`)
      exchange.refuse('target_refused')
    },
  })
  const start = (remotePort: number) =>
    encodeFrame(FrameType.START, Buffer.from(JSON.stringify({ ...START, remotePort })))
  const empty = Buffer.alloc(0)
  const abort = encodeFrame(FrameType.ABORT, empty)
  const said = [start(1), encodeFrame(FrameType.CHUNK, Buffer.from('said')), abort, start(2), abort, start(3), abort]
  peer.write(Buffer.concat(said))
  await until(() => events.length === 6)
  t.same(events, ['start 1', 'ready', 'start 2', 'ready', 'start 3', 'ready'])
  peer.destroy()
  await until(() => events.length === 7)
})

t.test('a reset behind an end reaches the other side, and the connection serves the next', async (t) => {
  const on = await wire(t)
  for (const turned of [false, true]) {
    on.events.length = 0
    const player = await play(t, on)
    const [first, second] = turned ? [player.right, player.left] : [player.left, player.right]
    const heard = once(second, 'end')
    second.resume()
    first.end()
    await heard
    first.resetAndDestroy()
    // Whoever has read an end reads no more, and is told when he writes.
    let code: unknown
    second.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code
    })
    await until(() => {
      if (!second.destroyed) second.write('still there?')
      return second.destroyed
    })
    t.match(code, /^(?:EPIPE|ECONNRESET)$/)
    t.same(
      (await player.ended).map(({ reason }) => reason),
      ['reset', 'reset'],
    )
    await until(() => on.relay.ready)
  }
  t.equal(on.events.includes('relay closed'), false)
})

t.test('a reset that crosses the last end does not touch the next player', async (t) => {
  const on = await wire(t)
  const before = await play(t, on)
  const [, heard] = [before.left.resume(), once(before.left, 'end')]
  before.right.end()
  await heard
  // The agent does not hear the player's end yet.
  on.agent.hold()
  before.left.end()
  await until(() => on.relay.ready)
  const next = await play(t, on)
  next.left.write('question')
  // As when a write of what the player had said last fails.
  before.far.destroy(new Error('reset'))
  await new Promise((resolve) => before.far.once('close', resolve))
  on.agent.resume()
  t.equal(String(await readBytes(next.right, 8)), 'question')
  next.right.end('answer')
  next.left.end()
  t.equal(String(await readAll(next.left)), 'answer')
  next.right.resume()
  t.same(
    (await next.ended).map(({ reason }) => reason),
    ['end', 'end'],
  )
})

t.test('cut in the moment of the end', async (t) => {
  const on = await wire(t)
  const [left, near] = await socketPair(t)
  const [, far] = await socketPair(t)
  const started = new Promise<Exchange>((resolve) => {
    on.onStart = resolve
  })
  on.relay.start(START, { onAccept: () => {}, onRefuse: () => {} }).join(near, { onClose: () => {} })
  left.end()
  const exchange = await started
  await until(() => near.readableEnded)
  await until(() => on.relaySocket.bytesWritten === on.agentSocket.bytesRead, 'all has arrived')
  exchange.accept()
  const ended = new Promise((resolve) => exchange.join(far, { onClose: resolve }))
  // The end was here already, and is on its way to the target now.
  exchange.cut()
  t.equal(await within(ended, 'the end of the exchange'), 'cut')
})

t.test('a bound on the rate lets parts of what was read pass', async (t) => {
  for (const pair of [socketPair, tlsPair, eventPair]) {
    const on = await wire(t, { pair })
    const throttles = { fromNear: new Throttle(), fromFar: new Throttle() }
    for (const throttle of Object.values(throttles)) throttle.setRate(200_000)
    const { left, right, ended } = await play(t, on, { throttles })
    const said = randomBytes(30_000)
    const heard = [readAll(left), readAll(right)]
    left.end(said)
    right.end(said)
    for (const bytes of await Promise.all(heard)) t.ok(bytes.equals(said))
    t.same((await ended)[0], { reason: 'end', counts: { fromNear: said.length, fromFar: said.length } })
  }
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

t.test('more than fits into one CHUNK, put in front of what the player says', async (t) => {
  const on = await wire(t)
  const [left, near] = await socketPair(t)
  const [right, far] = await socketPair(t)
  on.onStart = (exchange) => {
    exchange.accept()
    exchange.join(far, { onClose: () => {} })
  }
  const front = randomBytes(2 * MAX_CHUNK_BYTES + 5)
  const exchange = on.relay.start(START, { onAccept: () => {}, onRefuse: () => {} })
  exchange.send(front)
  exchange.join(near, { onClose: () => {} })
  left.end('said')
  t.ok((await readAll(right)).equals(Buffer.concat([front, Buffer.from('said')])))
})

t.test('a connection that is lost says so when its player is closed', async (t) => {
  const on = await wire(t)
  const [, near] = await socketPair(t)
  const exchange = on.relay.start(START, { onAccept: () => {}, onRefuse: () => {} })
  exchange.join(near, { onClose: () => on.events.push('player closed') })
  on.agentSocket.destroy()
  await until(() => on.events.includes('relay closed'))
  t.same(
    on.events.filter((event) => !event.startsWith('agent')),
    ['player closed', 'relay closed'],
  )
})
