import t from 'tap'
import type { AllocationTraffic } from '../../dist/index.js'
import { silentLogger } from '../../dist/logger.js'
import { Admissions } from '../../dist/players/admissions.js'
import { ConnectionRecord } from '../../dist/players/connection-record.js'
import { PlayerRules } from '../../dist/players/player-rules.js'
import type { PlayerContext } from '../../dist/players/public-listener.js'
import { TcpPlayer } from '../../dist/players/tcp-player.js'
import type { PlayerCall } from '../../dist/pool/ready-pool.js'
import type { Exchange, JoinOptions } from '../../dist/stream/data-connection.js'
import { socketPair } from '../stream/exchange-support.js'
import { allocation, ending, until } from '../support.js'

/** What was done with an exchange. */
function fakeExchange(name: string, log: string[]): Exchange {
  const note = (what: string) => () => void log.push(`${name} ${what}`)
  return { accept: note('accept'), refuse: note('refuse'), send: note('send'), join: note('join'), cut: note('cut') }
}

/** A player who was let in, and the call that he made. */
async function startPlayer(t: { teardown(handler: () => unknown): void }) {
  const [client, socket] = await socketPair(t)
  const traffic: AllocationTraffic = { allocationId: 1, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
  const reasons: unknown[] = []
  const heard: { onOpen?: () => void } = {}
  const about = { allocationId: 1, protocol: 'tcp' as const, remoteAddress: '192.0.2.1', remotePort: 9 }
  let call: PlayerCall | undefined
  const pools = {
    refusal: () => undefined,
    take: (_deviceId: string, made: PlayerCall) => {
      call = made
      return { ok: true, cancel: () => reasons.push('cancelled') }
    },
  }
  const context = { pools, admissions: new Admissions(undefined, 1, silentLogger) } as unknown as PlayerContext
  const player = new TcpPlayer(socket, {
    allocation: allocation(1, 9),
    remoteAddress: about.remoteAddress,
    remotePort: about.remotePort,
    rules: new PlayerRules({}),
    record: new ConnectionRecord(about, traffic, ({ phase, reason }) => {
      if (phase === 'open') heard.onOpen?.()
      else reasons.push(reason)
    }),
    context,
    onGone: () => reasons.push('gone'),
  })
  player.start()
  if (call === undefined) throw new Error('no call was made')
  return { client, socket, player, call, traffic, reasons, heard, log: [] as string[] }
}

t.test('is not read before he has a place, and then as soon as he speaks', async (t) => {
  const { client, socket, call, log } = await startPlayer(t)
  call.onPlace(fakeExchange('first', log))
  t.same(log, [], 'silent: he could still go elsewhere')
  client.write('hello')
  await until(() => log.length > 0)
  t.same(log, ['first join'])
  t.equal(String(socket.read()), 'hello')
  t.equal(call.onLost(), false)
})

t.test('who has spoken before is read at once, who ends without a word too', async (t) => {
  for (const last of ['hello', '']) {
    const { client, socket, call, log } = await startPlayer(t)
    client.end(last)
    await new Promise((resolve) => socket.once('readable', resolve))
    call.onPlace(fakeExchange('only', log))
    t.same(log, ['only join'])
  }
})

t.test('a place that is lost is not spoken to any more', async (t) => {
  const { client, call, log } = await startPlayer(t)
  call.onPlace(fakeExchange('first', log))
  t.equal(call.onLost(), true)
  client.write('hello')
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.same(log, [])
  call.onPlace(fakeExchange('second', log))
  await until(() => log.length > 0)
  t.same(log, ['second join'])
})

t.test('hears of a target that speaks first', async (t) => {
  const { call, log, traffic } = await startPlayer(t)
  call.onPlace(fakeExchange('only', log))
  call.onAccept()
  t.same(log, ['only join'])
  t.match(traffic, { connections: 1, open: 1 })
})

t.test('who is let go before he has spoken breaks his place off', async (t) => {
  const { client, call, log, reasons } = await startPlayer(t)
  call.onPlace(fakeExchange('only', log))
  const seen = ending(client)
  call.onFail('timeout')
  t.equal(await seen, 'ECONNRESET')
  t.same(log, ['only cut'])
  t.same(reasons, ['cancelled', 'timeout', 'gone'])
})

t.test('who leaves while he waits takes his place along', async (t) => {
  const { client, call, log, reasons } = await startPlayer(t)
  call.onPlace(fakeExchange('only', log))
  client.resetAndDestroy()
  await until(() => reasons.length === 3)
  t.same(reasons, ['cancelled', 'reset', 'gone'])
  t.same(log, ['only cut'])
})

t.test('who is cut is reset at once; that the agent is told is left to his end', async (t) => {
  const { client, socket, player, call, log, reasons } = await startPlayer(t)
  call.onPlace(fakeExchange('only', log))
  call.onAccept()
  const seen = ending(client)
  player.cut('denied')
  t.ok(socket.destroyed)
  t.same(log, ['only join'])
  t.same(reasons, [], 'of many who are cut, the last is reset before the first is told of')
  t.equal(await seen, 'ECONNRESET')
})

t.test('what a target that is not reached has not heard is not counted', async (t) => {
  for (const reached of [false, true]) {
    const { client, call, traffic, log } = await startPlayer(t)
    let joined: JoinOptions | undefined
    const exchange = fakeExchange('only', log)
    exchange.join = (_near, options) => {
      joined = options
    }
    call.onPlace(exchange)
    client.write('hello')
    await until(() => joined)
    joined?.onBytes?.(5, 0)
    if (reached) call.onAccept()
    else call.onFail('target_refused')
    t.equal(traffic.bytesIn, reached ? 5 : 0)
  }
})

t.test('who is cut by a hearer of his opening is not joined any more', async (t) => {
  const { player, call, heard, log } = await startPlayer(t)
  heard.onOpen = () => player.cut('cut')
  call.onPlace(fakeExchange('only', log))
  call.onAccept()
  t.same(log, ['only cut'])
})

t.test('who waits is not idle', async (t) => {
  const { socket, player, call, log } = await startPlayer(t)
  call.onPlace(fakeExchange('only', log))
  for (const now of [1, 1e9]) player.cutIfIdle(now, 10)
  t.equal(socket.destroyed, false)
  call.onAccept()
  for (const now of [1e12, 2e12]) player.cutIfIdle(now, 10)
  t.equal(socket.destroyed, true)
})
