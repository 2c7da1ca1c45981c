import type { Socket } from 'node:dgram'
import t from 'tap'
import { Outbox } from '../../dist/datagrams/channel-outbox.js'

/** A socket whose kernel takes packets only when it is told to. */
class StuckSocket {
  readonly taken: string[] = []
  #waiting: { text: string; done: (() => void) | undefined }[] = []
  stuck = false

  getSendQueueSize(): number {
    return this.#waiting.reduce((sum, { text }) => sum + text.length, 0)
  }

  send(packet: Buffer[], ...rest: unknown[]): void {
    const done = rest.at(-1)
    const text = Buffer.concat(packet).toString().trimEnd()
    this.#waiting.push({ text, done: typeof done === 'function' ? (done as () => void) : undefined })
    if (!this.stuck) this.release()
  }

  release(): void {
    for (const { text, done } of this.#waiting.splice(0)) {
      this.taken.push(text)
      if (done !== undefined) process.nextTick(done)
    }
  }
}

function start(): { socket: StuckSocket; outbox: Outbox } {
  const socket = new StuckSocket()
  return { socket, outbox: new Outbox(socket as unknown as Socket) }
}

function packet(index: number): Buffer[] {
  return [Buffer.from(`${index}`.padEnd(500)), Buffer.alloc(500, ' ')]
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('packets go on at once and in order', async (t) => {
  const { socket, outbox } = start()
  for (let index = 0; index < 5; index += 1) outbox.send(packet(index))
  t.same(socket.taken, ['0', '1', '2', '3', '4'])
  t.equal(outbox.dropped, 0)
})

t.test('when the kernel takes none for a while the oldest are dropped, and the rest follows in order', async (t) => {
  const { socket, outbox } = start()
  socket.stuck = true
  const count = 1_000
  for (let index = 0; index < count; index += 1) outbox.send(packet(index), 7, '127.0.0.1')
  socket.stuck = false
  socket.release()
  await turn()
  await turn()
  const numbers = socket.taken.map(Number)
  t.equal(numbers.length + outbox.dropped, count)
  t.ok(numbers.length <= 265 && numbers.length > 200, `${numbers.length} were kept`)
  t.equal(numbers.at(-1), count - 1, 'the newest is among them')
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
  )
  outbox.send(packet(count))
  t.equal(socket.taken.at(-1), `${count}`, 'and then they go on at once again')
})

t.test('closed, it sends no more', async (t) => {
  const { socket, outbox } = start()
  socket.stuck = true
  for (let index = 0; index < 10; index += 1) outbox.send(packet(index))
  outbox.close()
  outbox.send(packet(10))
  socket.stuck = false
  socket.release()
  await turn()
  t.ok(socket.taken.length <= 2)
})
