import t from 'tap'
import { MAX_ORDER } from '../../dist/link/protocol.js'
import { until } from '../support.js'
import { bring, DEVICE, play, start, turns } from './pool-support.js'

t.test('one is ordered as soon as there is a link and a port, and its replacement before START', async (t) => {
  const { pools, link, log } = start(t)
  await turns()
  t.equal(link.tokens.length, 1)
  t.equal(pools.expected, 1)
  t.equal(pools.expectedFrom(link.source), 1)
  const brought = await bring(t, pools, link.tokens[0])
  t.ok(brought.taken)
  t.equal(pools.expected, 0)
  log.length = 0
  const player = play(pools, 77, log)
  t.same(log, ['order', 'START'])
  t.equal(player.exchanges.length, 1, 'START is out before the call returns')
  await until(() => brought.started.length === 1)
  t.equal(brought.started[0]?.message.remotePort, 77)
  brought.started[0]?.exchange.accept()
  await until(() => player.outcome.length === 1)
  t.same(player.outcome, ['accepted'])
})

t.test('without a port none is ready, and those ready go with the last one', async (t) => {
  const { pools, link } = start(t, {}, { port: false })
  await turns()
  t.same(link.tokens, [])
  const close = [pools.open(DEVICE), pools.open(DEVICE)]
  await turns()
  const brought = await bring(t, pools, link.tokens[0])
  close[0]?.()
  close[0]?.()
  await turns()
  t.notOk(brought.closed)
  close[1]?.()
  pools.open(DEVICE)()
  await until(() => brought.closed)
  const again = pools.open(DEVICE)
  again()
  await turns()
  t.equal(link.tokens.length, 1, 'gone and back in one turn is no reason to order')
})

t.test('players of one turn are ordered for together, and served in the order they came', async (t) => {
  const { pools, link } = start(t, { maxWaitingPerDevice: 150, maxReadyPerDevice: 1 })
  await turns()
  const players = Array.from({ length: 150 }, (_, n) => play(pools, n))
  t.same(play(pools).outcome, ['busy'])
  t.equal(pools.waiting, 150)
  await turns()
  t.same(
    link.orders.map(({ length }) => length),
    [1, 1, MAX_ORDER, MAX_ORDER, 150 - 1 - 2 * MAX_ORDER],
    'the first at once; and one to be ready',
  )
  const first = await bring(t, pools, link.tokens[100])
  const second = await bring(t, pools, link.tokens[3])
  await until(() => first.started.length + second.started.length === 2)
  t.equal(first.started[0]?.message.remotePort, 0)
  t.equal(second.started[0]?.message.remotePort, 1)
  players[2]?.cancel()
  first.started[0]?.exchange.refuse('target_refused')
  await until(() => players[0]?.outcome.length === 1)
  t.same(players[0]?.outcome, ['target_refused'])
  players[0]?.exchanges[0]?.cut()
  await until(() => first.started.length === 2)
  t.equal(first.started[1]?.message.remotePort, 3, 'used again for the next who still waits')
  for (const player of players) player.cancel()
})

t.test('the one that was used last is taken first', async (t) => {
  const { pools, link } = start(t, { minReadyPerDevice: 3 })
  await turns()
  t.same(
    link.orders.map(({ length }) => length),
    [3],
  )
  const brought = [
    await bring(t, pools, link.tokens[0]),
    await bring(t, pools, link.tokens[1]),
    await bring(t, pools, link.tokens[2]),
  ] as const
  const first = play(pools)
  await until(() => brought[2].started.length === 1)
  first.exchanges[0]?.cut()
  brought[2].started[0]?.exchange.refuse('target_refused')
  await until(() => brought[2].connection.ready)
  await turns()
  play(pools).cancel()
  await until(() => brought[2].started.length === 2)
  t.equal(brought[0].started.length + brought[1].started.length, 0)
})

t.test('who is not accepted in time is let go, waiting or started, and not for longer', async (t) => {
  const openTimeoutMs = 1_000
  const { pools, link } = start(t, { openTimeoutMs })
  await turns()
  await bring(t, pools, link.tokens[0])
  const since = performance.now()
  const [started, waiting] = [play(pools), play(pools)]
  await until(() => started.outcome.length + waiting.outcome.length === 2)
  t.ok(performance.now() - since > openTimeoutMs - 10)
  t.same([started.outcome, waiting.outcome], [['timeout'], ['timeout']])
  t.equal(started.exchanges.length, 1)
  t.equal(waiting.exchanges.length, 0)
  t.equal(pools.waiting, 0)
})

t.test('players who come one after the other are not ordered for twice', async (t) => {
  const { pools, link } = start(t)
  await turns()
  const players: ReturnType<typeof play>[] = []
  // Each time one more than what is brought.
  for (let at = 0; at < 120; at += 1) {
    players.push(play(pools, at))
    await turns()
    if (at % 2 === 0) await bring(t, pools, link.tokens[at / 2])
  }
  t.ok(link.tokens.length <= 120 + 30, `${link.tokens.length} for 120 players`)
  for (const player of players) player.cancel()
})

t.test('tokens work once, and not after their time', async (t) => {
  const { pools, link } = start(t, { openTimeoutMs: 1_000 })
  await turns()
  const [token] = link.tokens
  t.ok((await bring(t, pools, token)).taken)
  t.notOk((await bring(t, pools, token)).taken)
  play(pools).cancel()
  const late = link.tokens[1]
  await until(() => pools.expected === 0)
  t.notOk((await bring(t, pools, late)).taken)
})

t.test('those that nobody needed are closed, down to the least', async (t) => {
  const { pools, link } = start(t, { readyIdleMs: 30 })
  const players = Array.from({ length: 8 }, () => play(pools))
  await turns()
  const brought = await Promise.all(link.tokens.map((token) => bring(t, pools, token)))
  for (const player of players) {
    player.exchanges[0]?.cut()
    player.cancel()
  }
  for (const { started } of brought) for (const { exchange } of started) exchange.refuse('agent_busy')
  const open = () => brought.filter(({ closed }) => !closed).length
  t.ok(brought.length >= 8)
  await until(() => open() === 1)
  const ordered = link.tokens.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(open(), 1)
  t.equal(link.tokens.length, ordered, 'and none is ordered in their place')
})

t.test('no more are kept ready than may be', async (t) => {
  const { pools, link } = start(t, { maxReadyPerDevice: 2 })
  const players = Array.from({ length: 5 }, () => play(pools))
  await turns()
  const brought = await Promise.all(link.tokens.map((token) => bring(t, pools, token)))
  await until(() => brought.filter(({ started }) => started.length > 0).length === 5)
  for (const player of players) {
    player.exchanges[0]?.cut()
    player.cancel()
  }
  for (const { started } of brought) for (const { exchange } of started) exchange.refuse('agent_busy')
  await until(() => brought.filter(({ closed }) => !closed).length === 2)
  await turns()
  t.equal(brought.filter(({ closed }) => !closed).length, 2)
})
