import { once } from 'node:events'
import t from 'tap'
import { wasReset } from '../../dist/stream/end-or-reset.js'
import { within } from '../support.js'
import { play, socketPair, wire } from './exchange-support.js'

/** Both have come when the other process, or this one behind its long turn, looks. */
function standStill(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

for (const half of [false, true])
  t.test(
    `data and a reset in one poll read as an end, and yet can be told${half ? ', also behind our own end' : ''}`,
    async (t) => {
      for (const how of ['end', 'reset'] as const) {
        const [peer, socket] = await socketPair(t)
        if (half) {
          socket.end()
          peer.resume()
          await once(peer, 'end')
        }
        const seen = new Promise((resolve) => {
          socket.on('end', () => resolve(wasReset(socket) ? 'reset' : 'end'))
          socket.on('error', () => resolve('reset'))
        })
        socket.resume()
        await new Promise((resolve) => peer.write('the last words', resolve))
        if (how === 'end') peer.end()
        else peer.resetAndDestroy()
        standStill(5)
        t.equal(await within(seen, 'the end'), how)
      }
    },
  )

t.test('a destroyed socket was not reset', async (t) => {
  const [, socket] = await socketPair(t)
  socket.destroy()
  await once(socket, 'close')
  t.equal(wasReset(socket), false)
})

t.test('a reset behind data never ends the other side', async (t) => {
  const on = await wire(t)
  for (let round = 0; round < 20; round += 1) {
    const { left, right, ended } = await play(t, on)
    const [first, second] = round % 2 === 0 ? [left, right] : [right, left]
    const seen = new Promise((resolve) => {
      second.on('end', () => resolve(wasReset(second)))
      second.on('error', () => resolve(true))
    })
    second.resume()
    await new Promise((resolve) => first.write('half an answer', resolve))
    first.resetAndDestroy()
    standStill(2)
    t.equal(await within(seen, 'the end'), true)
    await ended
  }
})

t.test('who breaks off behind his end stops the other side', async (t) => {
  const on = await wire(t)
  const { left, right, ended } = await play(t, on)
  left.end('question')
  right.resume()
  await once(right, 'end')
  const seen = new Promise((resolve) => right.on('close', resolve))
  const talk = () => right.writable && right.write(Buffer.alloc(65_536), () => setImmediate(talk))
  talk()
  await once(left, 'readable')
  left.resetAndDestroy()
  await within(seen, 'the reset')
  t.same(
    (await ended).map(({ reason }) => reason),
    ['reset', 'reset'],
  )
})
