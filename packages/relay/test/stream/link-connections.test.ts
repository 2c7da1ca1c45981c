import { once } from 'node:events'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { FrameType } from '../../dist/link/protocol.js'
import { DataConnection } from '../../dist/stream/data-connection.js'
import { LinkConnections } from '../../dist/stream/link-connections.js'
import { readBytes, until, within } from '../support.js'
import { play, START, socketPair, stopWriting, tlsPair, wire } from './exchange-support.js'

const TIMEOUT_MS = 160

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

for (const pair of [socketPair, tlsPair]) {
  t.test(`an idle player stays when the link is gone: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    const { left, right } = await play(t, on)
    left.write('x')
    await readBytes(right, 1)
    // Also when the other side has not noticed yet.
    const links = new LinkConnections(TIMEOUT_MS)
    links.add(on.relay)
    links.orphan()
    t.teardown(() => links.delete(on.relay))
    await wait(4 * TIMEOUT_MS)
    right.write('y')
    t.equal(String(await readBytes(left, 1)), 'y')
  })

  t.test(`a player who reads slowly stays: ${pair.name}`, async (t) => {
    const on = await wire(t, { pair })
    for (const turned of [false, true]) {
      const { left, right, near, far, ended } = await play(t, on)
      const [first, second] = turned ? [right, left] : [left, right]
      second.pause()
      let written = 0
      while (first.writableLength < 1_000_000) {
        first.write(Buffer.alloc(262_144))
        written += 262_144
        await wait(1)
      }
      const both = [new LinkConnections(TIMEOUT_MS), new LinkConnections(TIMEOUT_MS)] as const
      both[0].add(on.relay)
      both[1].add(on.agent)
      for (const links of both) links.orphan()
      await wait(4 * TIMEOUT_MS)
      t.equal(near.destroyed || far.destroyed, false)
      t.equal((await readBytes(second, written)).length, written)
      first.end()
      second.end()
      first.resume()
      second.resume()
      await ended
      await until(() => on.relay.ready && on.agent.ready)
      both[0].delete(on.relay)
      both[1].delete(on.agent)
    }
  })
}

t.test('a connection of which nothing is heard is closed, and its player reset', async (t) => {
  const [peer, socket] = await socketPair(t)
  const [left, near] = await socketPair(t)
  let closed = false
  const links = new LinkConnections(TIMEOUT_MS)
  const connection = new DataConnection(socket, {
    flushTimeoutMs: 1_000,
    onReady: () => {},
    onClose: () => {
      closed = true
      links.delete(connection)
    },
  })
  links.add(connection)
  connection.start(START, { onAccept: () => {}, onRefuse: () => {} }).join(near, { onClose: () => {} })
  peer.write(encodeFrame(FrameType.ACCEPT, Buffer.alloc(0)))
  await wait(2 * TIMEOUT_MS)
  t.equal(closed, false, 'as long as there is a link')
  links.orphan()
  await within(once(left, 'error'), 'the reset')
  await until(() => closed)
  t.same([...links], [])
})

t.test('one PONG answers the PINGs of a peer that does not read', async (t) => {
  const [peer, socket] = await socketPair(t)
  const connection = new DataConnection(socket, { flushTimeoutMs: 1_000, onReady: () => {}, onClose: () => {} })
  t.teardown(() => connection.close())
  const ping = encodeFrame(FrameType.PING, Buffer.alloc(0))
  const many = Buffer.concat(Array.from({ length: 50_000 }, () => ping))
  peer.pause()
  let most = 0
  for (let round = 0; round < 100; round += 1) {
    await new Promise((resolve) => peer.write(many, resolve))
    most = Math.max(most, socket.writableLength)
  }
  t.ok(most <= 1_000_000, `waits to be sent: ${most}`)
  let heard = 0
  peer.on('data', (bytes: Buffer) => {
    heard += bytes.length
  })
  peer.resume()
  await until(() => heard > 0 && socket.writableLength === 0)
  const before = heard
  peer.write(ping)
  await until(() => heard > before)
  t.equal(connection.closed, false)
})

for (const how of ['closed', 'ended'] as const)
  t.test(`a ready connection that is ${how} while its peer does not read is given up`, async (t) => {
    const [peer, socket] = await socketPair(t)
    let closed = false
    const connection = new DataConnection(socket, {
      flushTimeoutMs: 50,
      onReady: () => {},
      onClose: () => {
        closed = true
      },
    })
    stopWriting(socket)
    peer.write(encodeFrame(FrameType.PING, Buffer.alloc(0)))
    await until(() => socket.writableLength > 0)
    if (how === 'closed') connection.close()
    else peer.end()
    await until(() => closed)
  })
