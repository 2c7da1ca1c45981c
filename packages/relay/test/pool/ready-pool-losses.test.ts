import t from 'tap'
import { socketPair } from '../stream/exchange-support.js'
import { until } from '../support.js'
import { bring, DEVICE, FakeLink, play, start, turns } from './pool-support.js'

t.test('a connection that is lost as it is taken: the player moves on while nothing of his was read', async (t) => {
  const { pools, link } = start(t, { minReadyPerDevice: 3 })
  await turns()
  const brought = [
    await bring(t, pools, link.tokens[0]),
    await bring(t, pools, link.tokens[1]),
    await bring(t, pools, link.tokens[2]),
  ] as const
  const moves = play(pools)
  brought[2].socket.resetAndDestroy()
  await until(() => moves.exchanges.length === 2)
  await until(() => brought[1].started.length === 1)
  brought[1].started[0]?.exchange.accept()
  await until(() => moves.outcome.length === 1)
  t.same(moves.outcome, ['accepted'])
  const stays = play(pools)
  stays.unread = false
  brought[0].socket.resetAndDestroy()
  await until(() => stays.outcome.length === 1)
  t.same(stays.outcome, ['reset'])
  t.equal(stays.exchanges.length, 1)
})

t.test('a player is not tried for ever', async (t) => {
  const { pools, link } = start(t)
  await turns()
  const player = play(pools)
  for (let at = 0; player.outcome.length === 0; at += 1) {
    await until(() => link.tokens.length > at || player.outcome.length > 0)
    const brought = await bring(t, pools, link.tokens[at])
    brought.socket.resetAndDestroy()
    await until(() => brought.closed)
    await turns()
  }
  t.same(player.outcome, ['reset'])
  t.equal(player.exchanges.length, 3)
})

t.test('those ready go with their link, those in use go on and are closed afterwards', async (t) => {
  const { pools, link } = start(t, { minReadyPerDevice: 2 })
  await turns()
  const ready = await bring(t, pools, link.tokens[0])
  const used = await bring(t, pools, link.tokens[1])
  const player = play(pools)
  await until(() => used.started.length === 1)
  used.started[0]?.exchange.accept()
  await until(() => player.outcome.length === 1)
  const waiting = [play(pools), play(pools)] as const
  await until(() => ready.started.length === 1)
  waiting[0].exchanges[0]?.cut()
  ready.started[0]?.exchange.refuse('target_refused')
  waiting[1].cancel()
  await turns()

  const next = new FakeLink()
  const unused = link.tokens.at(-1)
  pools.setLink(DEVICE, next)
  await until(() => ready.closed)
  t.notOk(used.closed)
  t.notOk((await bring(t, pools, unused)).taken, 'ordered over the link that is gone')
  await until(() => next.tokens.length >= 2, 'ordered anew')
  t.ok((await bring(t, pools, next.tokens[0])).taken)
  player.exchanges[0]?.cut()
  await until(() => used.closed)
})

t.test('what is lost of an older link keeps the present one from nothing', async (t) => {
  const { pools, link } = start(t)
  await turns()
  const old = await bring(t, pools, link.tokens[0])
  const player = play(pools)
  await until(() => old.started.length === 1)
  const next = new FakeLink()
  pools.setLink(DEVICE, next)
  await turns()
  for (const token of [...next.tokens]) await bring(t, pools, token)
  old.socket.resetAndDestroy()
  await until(() => player.exchanges.length === 2, 'he is on a connection of the new link')
  const ordered = next.tokens.length
  while (pools.ready > 0) play(pools)
  await turns()
  t.ok(next.tokens.length > ordered, 'and others are ordered')
})

t.test('players who wait when the link goes are served over the next one', async (t) => {
  const { pools } = start(t)
  const player = play(pools)
  pools.setLink(DEVICE, undefined)
  t.same(play(pools).outcome, ['no_link'])
  const next = new FakeLink()
  pools.setLink(DEVICE, next)
  await turns()
  const brought = await bring(t, pools, next.tokens[0])
  await until(() => brought.started.length === 1)
  brought.started[0]?.exchange.accept()
  await until(() => player.outcome.length === 1)
  t.same(player.outcome, ['accepted'])
})

t.test('SHORT lets go of who has nothing coming, the latest first, and does not order again at once', async (t) => {
  const { pools, link } = start(t, { maxReadyPerDevice: 1 })
  await turns()
  const players = [play(pools), play(pools), play(pools)] as const
  await turns()
  // Three for them, and one to be ready.
  t.equal(link.tokens.length, 4)
  pools.short(DEVICE, { tokens: link.tokens.slice(0, 1), error: 'agent_busy' })
  await turns()
  t.same(
    players.map(({ outcome }) => outcome.length),
    [0, 0, 0],
    'it was the one to spare',
  )
  pools.short(DEVICE, { tokens: link.tokens.slice(0, 2), error: 'agent_busy' })
  t.same(
    players.map(({ outcome }) => outcome),
    [[], [], ['agent_busy']],
  )
  pools.short(DEVICE, { tokens: ['made up'], error: 'agent_busy' })
  pools.short(DEVICE, { tokens: link.tokens.slice(2), error: 'agent_busy' })
  t.same(
    players.map(({ outcome }) => outcome),
    [['agent_busy'], ['agent_busy'], ['agent_busy']],
  )
  await turns()
  t.equal(link.tokens.length, 4)
  const late = play(pools)
  t.equal(link.tokens.length, 5, 'who comes is ordered for all the same')
  pools.short(DEVICE, { tokens: link.tokens.slice(4), error: 'agent_busy' })
  t.same(late.outcome, ['agent_busy'])
  await until(() => link.tokens.length > 5, 'and the pool again after a while')
})

t.test('an agent that never ends what its player has left loses the connection, and only then', async (t) => {
  const { pools, link } = start(t, { flushTimeoutMs: 100, minReadyPerDevice: 2 })
  await turns()
  const [silent, relaySide] = await socketPair(t)
  let closed = false
  silent.resume().on('close', () => {
    closed = true
  })
  silent.on('end', () => silent.end())
  t.ok(pools.connect(link.tokens[0] ?? '', relaySide))
  const left = play(pools)
  const honest = await bring(t, pools, link.tokens[1])
  const stays = play(pools)
  await until(() => honest.started.length === 1)
  honest.started[0]?.exchange.accept()
  await until(() => stays.outcome.length === 1)
  left.exchanges[0]?.cut()
  left.cancel()
  await until(() => closed)
  t.notOk(honest.closed)
  t.same(left.outcome, [])
})

t.test('one that ends it is kept', async (t) => {
  const { pools, link } = start(t, { flushTimeoutMs: 500, maxReadyPerDevice: 1 })
  await turns()
  const brought = await bring(t, pools, link.tokens[0])
  const player = play(pools)
  await until(() => brought.started.length === 1)
  player.exchanges[0]?.cut()
  player.cancel()
  await until(() => pools.ready === 1)
  const next = play(pools)
  await until(() => brought.started.length === 2)
  brought.started[1]?.exchange.accept()
  await until(() => next.outcome.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 600))
  t.notOk(brought.closed, 'the limit was for the player before')
})

t.test('who loses his place when there is neither port nor link is served over the next link', async (t) => {
  const { pools, link, closePort } = start(t)
  await turns()
  const brought = await bring(t, pools, link.tokens[0])
  const player = play(pools)
  await until(() => brought.started.length === 1)
  pools.setLink(DEVICE, undefined)
  closePort()
  await turns()
  const next = new FakeLink()
  pools.setLink(DEVICE, next)
  await turns()
  brought.socket.resetAndDestroy()
  await until(() => next.tokens.length > 0)
  const again = await bring(t, pools, next.tokens[0])
  await until(() => again.started.length === 1)
  again.started[0]?.exchange.accept()
  await until(() => player.outcome.length === 1)
  t.same(player.outcome, ['accepted'])
  t.equal(pools.refusal(DEVICE), undefined, 'the link is known')
})
