import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Throttle } from '../../dist/players/throttle.js'
import { readAll, until } from '../support.js'
import { eventPair, play, socketPair, stopWriting, tlsPair, wire } from './exchange-support.js'

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
  // In the queue behind the player: whenever this one's turn comes, his has come before.
  let turns = 0
  const turn = () => {
    turns += 1
    throttles.fromFar.take(said.length, turn)
  }
  throttles.fromFar.take(said.length, turn)
  await until(() => turns > 5)
  throttles.fromFar.leave(turn)
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
