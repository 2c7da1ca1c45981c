import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { Throttle } from '../../dist/players/throttle.js'
import { resetSocket } from '../../dist/stream/reset-socket.js'
import { ending, until, within } from '../support.js'
import { eventPair, play, socketPair, tlsPair, wire } from './exchange-support.js'

const RUNS = 80
const SOURCE = randomBytes(4_000_000)

/** What one side says: pieces, with a pause behind those that are marked. */
const speech = fc.array(
  fc.record({
    bytes: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 100 }), weight: 3 },
      { arbitrary: fc.integer({ min: 1, max: 70_000 }), weight: 2 },
      { arbitrary: fc.integer({ min: 100_000, max: 1_500_000 }), weight: 1 },
    ),
    pause: fc.boolean(),
  }),
  { maxLength: 6 },
)
const flows = fc.record({
  left: speech,
  right: speech,
  /** Reads after a while only. */
  slow: fc.constantFrom('left' as const, 'right' as const, undefined),
  throttled: fc.boolean(),
  broken: fc.constantFrom('left' as const, 'right' as const, undefined, undefined, undefined),
})

async function say(socket: Socket, pieces: { bytes: number; pause: boolean }[]): Promise<string> {
  const hash = createHash('sha256')
  let at = 0
  for (const { bytes, pause } of pieces) {
    const piece = SOURCE.subarray(at % 1_000_000, (at % 1_000_000) + bytes)
    at += bytes
    hash.update(piece)
    if (!socket.writable || socket.destroyed) break
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
    if (pause) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  socket.end()
  return hash.digest('hex')
}

async function hear(socket: Socket, slow: boolean): Promise<{ hash: string; ended: boolean }> {
  const hash = createHash('sha256')
  if (slow) await new Promise((resolve) => setTimeout(resolve, 20))
  return await within(
    new Promise((resolve) => {
      let ended = false
      socket.on('data', (chunk: Buffer) => hash.update(chunk))
      socket.on('end', () => {
        ended = true
        resolve({ hash: hash.digest('hex'), ended })
      })
      socket.on('close', () => ended || resolve({ hash: '', ended }))
      // It may have been before, when there was nothing to read.
      if (socket.closed) resolve({ hash: socket.readableEnded ? hash.digest('hex') : '', ended })
    }),
    'the end of a stream',
  )
}

for (const pair of [socketPair, tlsPair, eventPair])
  t.test(`streams arrive whole, one player after another on one connection: ${pair.name}`, async (t) => {
    let on = await wire(t, { pair })
    await fc.assert(
      fc.asyncProperty(flows, async ({ left, right, slow, throttled, broken }) => {
        const throttles = { fromNear: new Throttle(), fromFar: new Throttle() }
        if (throttled) for (const throttle of Object.values(throttles)) throttle.setRate(200_000_000)
        const player = await play(t, on, { throttles })
        const heard = [hear(player.right, slow === 'right'), hear(player.left, slow === 'left')]
        const said = [say(player.left, left), say(player.right, right)]
        if (broken !== undefined) {
          resetSocket(player[broken])
          const other = broken === 'left' ? player.right : player.left
          await ending(other)
        } else {
          const [toRight, toLeft] = await Promise.all(heard)
          const [fromLeft, fromRight] = await Promise.all(said)
          if (toRight?.hash !== fromLeft || toLeft?.hash !== fromRight) throw new Error('not what was said')
          const [relay, agent] = await player.ended
          const total = (pieces: typeof left) => pieces.reduce((sum, { bytes }) => sum + bytes, 0)
          const counts = { fromNear: total(left), fromFar: total(right) }
          if (relay.reason !== 'end' || agent.reason !== 'end') throw new Error(`${relay.reason}, ${agent.reason}`)
          if (JSON.stringify(relay.counts) !== JSON.stringify(counts)) throw new Error('counts')
          if (JSON.stringify(player.counted) !== JSON.stringify(counts)) throw new Error('counted')
        }
        await player.ended
        await Promise.allSettled([...heard, ...said])
        // One whose outgoing direction was blocked is closed instead of aborted.
        await until(() => on.relay.ready || on.relay.closed)
        if (on.relay.closed) on = await wire(t, { pair })
      }),
      { numRuns: RUNS },
    )
    t.pass()
  })

for (const pair of [socketPair, tlsPair, eventPair])
  t.test(`what waits to be sent is not written over by what is read next: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    for (const turned of [false, true]) {
      const player = await play(t, on)
      const [first, second] = turned ? [player.right, player.left] : [player.left, player.right]
      second.pause()
      const hash = createHash('sha256')
      let sent = 0
      const sayOn = async (bytes: number) => {
        const piece = SOURCE.subarray(sent % 1_000_000, (sent % 1_000_000) + bytes)
        hash.update(piece)
        sent += bytes
        first.write(piece)
        const passed = () => (turned ? player.counted.fromFar : player.counted.fromNear) === sent
        const deadline = performance.now() + 30
        while (!passed() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
        return passed()
      }
      // Much at once, for which they take buffers of their own; then portions that are small enough not to be said to wait.
      for (let round = 0; round < 4; round += 1) await sayOn(400_000)
      while (await sayOn(9_001));
      for (let round = 0; round < 20; round += 1) await sayOn(9_001)
      first.end()
      second.end()
      first.resume()
      const heard = hear(second, false)
      second.resume()
      t.equal((await heard).hash, hash.digest('hex'))
      await player.ended
      await until(() => on.relay.ready)
    }
  })
