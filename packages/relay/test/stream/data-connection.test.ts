import { once } from 'node:events'
import t from 'tap'
import { ending, readAll, readBytes, until } from '../support.js'
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
