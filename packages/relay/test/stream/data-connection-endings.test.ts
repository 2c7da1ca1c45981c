import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import type { Exchange } from '../../dist/stream/data-connection.js'
import { ending, readAll, readBytes, until, within } from '../support.js'
import { eventPair, play, START, socketPair, tlsPair, wire } from './exchange-support.js'

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
