import { randomBytes } from 'node:crypto'
import t from 'tap'
import { BufferReader } from '../../dist/stream/buffer-reader.js'
import { until } from '../support.js'
import { socketPair } from './exchange-support.js'

const HEADROOM = 5

/** A reader into which a test puts what is read; one that has brought much, and so reads into a buffer of its own. */
async function startReader(t: { teardown(handler: () => unknown): void }) {
  const [, socket] = await socketPair(t)
  const replaced: Buffer[] = []
  const buffers = {
    portions: false,
    install() {},
    replace: (buffer: Buffer) => void replaced.push(buffer),
    start() {},
    stop() {},
  }
  const taken: Buffer[] = []
  const on = {
    /** How much of what comes is taken. */
    takes: Number.POSITIVE_INFINITY,
    take(bytes: Buffer) {
      const part = bytes.subarray(0, on.takes)
      if (part.length > 0) taken.push(part)
      return part.length
    },
    takeEnd() {},
  }
  const reader = new BufferReader(socket, HEADROOM, buffers, on)
  reader.resume()
  const own = reader.onRead(40_000)
  if (own === undefined) throw new Error('it has no buffer of its own')
  taken.length = 0
  return { reader, own, on, taken, replaced }
}

t.test('a buffer of its own is given up when it is not needed, and not while something waits in it', async (t) => {
  const { reader, own, on, taken, replaced } = await startReader(t)
  const said = randomBytes(5_000)
  on.takes = 0
  said.copy(own)
  reader.onRead(said.length)
  t.equal(reader.held, true)
  const idle = await startReader(t)
  await until(() => idle.replaced.length === 1, 'one that began to wait later is given up')
  t.same(replaced, [])
  on.takes = Number.POSITIVE_INFINITY
  reader.resume()
  t.ok(Buffer.concat(taken).equals(said))
  await until(() => replaced.length === 1)
  t.not(replaced[0]?.buffer, own.buffer)
})

t.test('what was lent is left alone when it is needed for longer, and what waits behind it is not lost', async (t) => {
  const { reader, own, on, taken } = await startReader(t)
  const said = randomBytes(10_000)
  on.takes = 6_000
  said.copy(own)
  on.take = ((take) => (bytes: Buffer) => {
    reader.abandon()
    return take(bytes)
  })(on.take)
  const next = reader.onRead(said.length)
  t.not(next?.buffer, own.buffer)
  on.takes = Number.POSITIVE_INFINITY
  reader.resume()
  own.fill(0, 6_000)
  t.ok(Buffer.concat(taken).equals(said))
})
