import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { type Splice, type SpliceEnd, splice } from '../dist/splice.js'
import { ending, readAll, readBytes, until } from './support.js'

type Test = { teardown(handler: () => unknown): void }

/** Two connected sockets, as two programs have them. */
async function socketPair(t: Test): Promise<[client: Socket, server: Socket]> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [server] = (await once(listener, 'connection')) as [Socket]
  await once(client, 'connect')
  listener.close()
  for (const socket of [client, server]) {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
  }
  return [client, server]
}

interface Joined {
  left: Socket
  right: Socket
  near: Socket
  far: Socket
  spliced: Splice
  closed: Promise<SpliceEnd>
}

/** left → near ⇄ far ← right */
async function join(t: Test, flushTimeoutMs = 5_000): Promise<Joined> {
  const [left, near] = await socketPair(t)
  const [right, far] = await socketPair(t)
  let spliced: Splice | undefined
  const closed = new Promise<SpliceEnd>((resolve) => {
    spliced = splice(near, far, { flushTimeoutMs, onClose: resolve })
  })
  if (spliced === undefined) throw new Error('unreachable')
  return { left, right, near, far, spliced, closed }
}

t.test('bytes pass both ways and are counted exactly', async (t) => {
  const { left, right, spliced, closed } = await join(t)
  const fromLeft = readAll(right)
  const fromRight = readAll(left)
  left.end(Buffer.alloc(1_234_567, 1))
  right.end(Buffer.alloc(7_654_321, 2))
  t.equal((await fromLeft).length, 1_234_567)
  t.equal((await fromRight).length, 7_654_321)
  t.equal(await closed, 'end')
  t.same(spliced.counts, { fromNear: 1_234_567, fromFar: 7_654_321 })
})

t.test('after an end on one side the other direction goes on', async (t) => {
  for (const turned of [false, true]) {
    const joined = await join(t)
    const [first, second] = turned ? [joined.right, joined.left] : [joined.left, joined.right]
    const question = readAll(second)
    first.end('question')
    t.equal(String(await question), 'question')
    const answer = readAll(first)
    second.write('answer, ')
    second.end('at length')
    t.equal(String(await answer), 'answer, at length')
    t.equal(await joined.closed, 'end')
  }
})

t.test('a reset on one side resets the other', async (t) => {
  for (const turned of [false, true]) {
    const joined = await join(t)
    const [first, second] = turned ? [joined.right, joined.left] : [joined.left, joined.right]
    const seen = ending(second)
    first.resetAndDestroy()
    t.equal(await seen, 'ECONNRESET')
    t.equal(await joined.closed, 'reset')
  }
})

t.test('cut breaks off both sides', async (t) => {
  const { left, right, spliced, closed } = await join(t)
  const seen = [ending(left), ending(right)]
  spliced.cut()
  t.same(await Promise.all(seen), ['ECONNRESET', 'ECONNRESET'])
  t.equal(await closed, 'cut')
  spliced.cut()
})

t.test('a slow reader holds the writer back and little is held between them', async (t) => {
  const { left, right, near, far, spliced } = await join(t)
  right.pause()
  const chunk = Buffer.alloc(65_536, 3)
  let written = 0
  const pump = () => {
    while (written < 64 * 1024 * 1024) {
      written += chunk.length
      if (!left.write(chunk)) break
    }
  }
  left.on('drain', pump)
  pump()
  let before = -1
  await until(() => {
    const still = near.isPaused() && spliced.counts.fromNear === before
    before = spliced.counts.fromNear
    return still
  })
  t.ok(far.writableLength <= 256 * 1024, `held for the reader: ${far.writableLength}`)
  t.ok(near.readableLength <= 256 * 1024, `held from the writer: ${near.readableLength}`)
  t.ok(written < 64 * 1024 * 1024, 'the writer is held back')
  left.off('drain', pump)
  const total = written
  t.equal((await readBytes(right, total)).length, total, 'and nothing is lost')
})

t.test('bytes that were read before are passed on first', async (t) => {
  const [left, near] = await socketPair(t)
  const [right, far] = await socketPair(t)
  near.unshift(Buffer.from('first '))
  const seen = readAll(right)
  left.end('second')
  splice(near, far, { flushTimeoutMs: 1_000, onClose: () => {} })
  right.end()
  t.equal(String(await seen), 'first second')
})

t.test('a side that is gone already takes the other along', async (t) => {
  const [, near] = await socketPair(t)
  const [right, far] = await socketPair(t)
  near.destroy()
  await once(near, 'close')
  const seen = ending(right)
  const reason = await new Promise((resolve) => splice(near, far, { flushTimeoutMs: 1_000, onClose: resolve }))
  t.equal(reason, 'reset')
  t.match(await seen, /end|ECONNRESET/)
})

t.test('a last reader that takes nothing is given up', async (t) => {
  const { left, right, far, spliced, closed } = await join(t, 50)
  right.pause()
  right.end()
  left.resume()
  await once(left, 'end')
  // Until there is something left to send, and no more, so that the end is read while it waits.
  const chunk = Buffer.alloc(16_384)
  let sent = 0
  while (far.writableLength === 0) {
    left.write(chunk)
    sent += chunk.length
    await until(() => spliced.counts.fromNear === sent)
  }
  left.end()
  t.equal(await closed, 'reset')
})
