import { randomBytes } from 'node:crypto'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { FrameType, MAX_CHUNK_BYTES } from '../../dist/link/protocol.js'
import { DataConnection } from '../../dist/stream/data-connection.js'
import { readAll, until } from '../support.js'
import { START, socketPair, wire } from './exchange-support.js'

t.test('frames that are out of place close the connection', async (t) => {
  const empty = Buffer.alloc(0)
  const start = encodeFrame(FrameType.START, Buffer.from(JSON.stringify(START)))
  const oversize = encodeFrame(FrameType.CHUNK, empty)
  oversize.writeUInt32BE(MAX_CHUNK_BYTES + 1, 1)
  const accepted = encodeFrame(FrameType.ACCEPT, empty)
  const cases: [side: 'relay' | 'agent', frames: Buffer[]][] = [
    ['relay', [start]],
    ['relay', [accepted]],
    ['relay', [encodeFrame(FrameType.END, empty)]],
    ['agent', [encodeFrame(FrameType.CHUNK, Buffer.from('x'))]],
    ['agent', [encodeFrame(FrameType.START, Buffer.from('{}'))]],
    ['agent', [encodeFrame(FrameType.START, Buffer.alloc(4_097))]],
    ['agent', [start, accepted]],
    ['agent', [start, start]],
    ['agent', [start, oversize]],
    ['agent', [start, encodeFrame(FrameType.END, empty), encodeFrame(FrameType.END, empty)]],
    ['agent', [start, encodeFrame(FrameType.CHUNK, empty)]],
    ['agent', [encodeFrame(FrameType.LINK, empty)]],
    ['agent', [encodeFrame(99, empty)]],
  ]
  for (const [side, frames] of cases) {
    const on = await wire(t)
    on.onStart = () => {}
    // As their peer would say it.
    const socket = side === 'relay' ? on.agentSocket : on.relaySocket
    socket.write(Buffer.concat(frames))
    await until(() => on.events.includes(`${side} closed`))
    t.notOk(on.events.includes(`${side} ready`))
  }
})

t.test('the next player may follow in the same packet as the last frame of the one before', async (t) => {
  const [peer, socket] = await socketPair(t)
  const events: string[] = []
  new DataConnection(socket, {
    flushTimeoutMs: 1_000,
    onReady: () => events.push('ready'),
    onClose: () => events.push('closed'),
    onStart: (message, exchange) => {
      events.push(`start ${message.remotePort}`)
      exchange.refuse('target_refused')
    },
  })
  const start = (remotePort: number) =>
    encodeFrame(FrameType.START, Buffer.from(JSON.stringify({ ...START, remotePort })))
  const empty = Buffer.alloc(0)
  const abort = encodeFrame(FrameType.ABORT, empty)
  const said = [start(1), encodeFrame(FrameType.CHUNK, Buffer.from('said')), abort, start(2), abort, start(3), abort]
  peer.write(Buffer.concat(said))
  await until(() => events.length === 6)
  t.same(events, ['start 1', 'ready', 'start 2', 'ready', 'start 3', 'ready'])
  peer.destroy()
  await until(() => events.length === 7)
})

t.test('more than fits into one CHUNK, put in front of what the player says', async (t) => {
  const on = await wire(t)
  const [left, near] = await socketPair(t)
  const [right, far] = await socketPair(t)
  on.onStart = (exchange) => {
    exchange.accept()
    exchange.join(far, { onClose: () => {} })
  }
  const front = randomBytes(2 * MAX_CHUNK_BYTES + 5)
  const exchange = on.relay.start(START, { onAccept: () => {}, onRefuse: () => {} })
  exchange.send(front)
  exchange.join(near, { onClose: () => {} })
  left.end('said')
  t.ok((await readAll(right)).equals(Buffer.concat([front, Buffer.from('said')])))
})
