import type { Socket } from 'node:net'
import t from 'tap'
import { DataConnection, type Exchange } from '../dist/data-connection.js'
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../dist/limits.js'
import { MAX_ORDER, type StartMessage } from '../dist/protocol.js'
import { ReadyPools } from '../dist/ready-pools.js'
import { START, socketPair } from './exchange-support.js'
import { until } from './support.js'

type Test = Pick<typeof t, 'teardown'>

const DEVICE = 'device'
const turn = () => new Promise((resolve) => setImmediate(resolve))
/** Longer than what a pool does of itself in one turn. */
const turns = async () => {
  for (let n = 0; n < 5; n += 1) await turn()
}

/** One end of a link, and the data connections that an agent brings for what is ordered over it. */
class FakeLink {
  readonly source = '192.0.2.1'
  /** Tokens, one array for each ORDER. */
  readonly orders: string[][] = []
  readonly log: string[]

  constructor(log: string[] = []) {
    this.log = log
  }

  order(tokens: string[]): void {
    this.log.push('order')
    this.orders.push(tokens)
  }

  get tokens(): string[] {
    return this.orders.flat()
  }
}

interface Brought {
  taken: boolean
  /** The agent's end. */
  connection: DataConnection
  socket: Socket
  /** The relay's end. */
  relaySocket: Socket
  started: { message: StartMessage; exchange: Exchange }[]
  closed: boolean
}

async function bring(t: Test, pools: ReadyPools, token: string | undefined, log: string[] = []): Promise<Brought> {
  const [socket, relaySocket] = await socketPair(t)
  const started: Brought['started'] = []
  const connection = new DataConnection(socket, {
    flushTimeoutMs: 1_000,
    onStart: (message, exchange) => started.push({ message, exchange }),
    onReady: () => {},
    onClose: () => {
      brought.closed = true
    },
  })
  const write = relaySocket.write.bind(relaySocket) as (...given: unknown[]) => boolean
  relaySocket.write = (...given: unknown[]) => {
    log.push('write')
    return write(...given)
  }
  const brought: Brought = { taken: false, connection, socket, relaySocket, started, closed: false }
  brought.taken = pools.connect(token ?? 'none', relaySocket)
  return brought
}

interface Player {
  outcome: string[]
  exchanges: Exchange[]
  unread: boolean
  cancel: () => void
}

function play(pools: ReadyPools, remotePort = 1): Player {
  const player: Player = { outcome: [], exchanges: [], unread: true, cancel: () => {} }
  const taken = pools.take(DEVICE, {
    message: { ...START, remotePort },
    onPlace: (exchange) => player.exchanges.push(exchange),
    isUnread: () => player.unread,
    onAccept: () => player.outcome.push('accepted'),
    onFail: (reason) => player.outcome.push(reason),
  })
  if (taken.ok) player.cancel = taken.cancel
  else player.outcome.push(taken.reason)
  return player
}

/** Pools with a link of the device, and a port unless told otherwise. Everything is let go at the end. */
function start(t: Test, given: Partial<RelayLimits> = {}, { port = true } = {}) {
  const limits = { ...DEFAULT_RELAY_LIMITS, ...given }
  const pools = new ReadyPools(limits)
  const log: string[] = []
  const link = new FakeLink(log)
  pools.setLink(DEVICE, link)
  const closePort = port ? pools.open(DEVICE) : () => {}
  t.teardown(() => {
    closePort()
    pools.setLink(DEVICE, undefined)
  })
  return { pools, link, log, closePort }
}

t.test('one is ordered as soon as there is a link and a port, and its replacement before START', async (t) => {
  const { pools, link, log } = start(t)
  await turns()
  t.equal(link.tokens.length, 1)
  t.equal(pools.expected, 1)
  t.equal(pools.expectedFrom(link.source), 1)
  const brought = await bring(t, pools, link.tokens[0], log)
  t.ok(brought.taken)
  t.equal(pools.expected, 0)
  log.length = 0
  const player = play(pools, 77)
  t.same(log.slice(0, 2), ['order', 'write'])
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
  t.same(link.orders.map(({ length }) => length), [3])
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
  const { pools, link } = start(t, { openTimeoutMs: 50 })
  await turns()
  await bring(t, pools, link.tokens[0])
  const since = performance.now()
  const [started, waiting] = [play(pools), play(pools)]
  await until(() => started.outcome.length + waiting.outcome.length === 2)
  t.ok(performance.now() - since > 40)
  t.same([started.outcome, waiting.outcome], [['timeout'], ['timeout']])
  t.equal(started.exchanges.length, 1)
  t.equal(waiting.exchanges.length, 0)
  t.equal(pools.waiting, 0)
})

t.test('tokens work once, and not after their time', async (t) => {
  const { pools, link } = start(t, { openTimeoutMs: 60 })
  await turns()
  const [token] = link.tokens
  t.ok((await bring(t, pools, token)).taken)
  t.notOk((await bring(t, pools, token)).taken)
  play(pools).cancel()
  const late = link.tokens[1]
  await until(() => pools.expected === 0)
  t.notOk((await bring(t, pools, late)).taken)
})

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
  t.same(players.map(({ outcome }) => outcome.length), [0, 0, 0], 'it was the one to spare')
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
  late.cancel()
  await until(() => link.tokens.length > 5, 'and the pool again after a while')
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
