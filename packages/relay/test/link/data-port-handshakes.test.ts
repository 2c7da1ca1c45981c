import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import type { Relay } from '../../dist/index.js'
import { dial, dialData, ending, readBytes, startAgent, startEcho, startRelay, startTunnel, until } from '../support.js'

type Test = { teardown(handler: () => unknown): void }

const LET_GO = /end|close|destroyed|ECONNRESET|EPIPE/

/** What a TLS client says first, caught on its way. */
async function clientHello(t: Test, relay: Relay): Promise<Buffer> {
  const { createServer } = await import('node:net')
  const { dialRelay } = await import('../../dist/link/dial-relay.js')
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const { fingerprint = '' } = relay
  const client = dialRelay({ host: '127.0.0.1', port, fingerprint }, { timeoutMs: 5_000, onReady: () => {} })
  client.on('error', () => {})
  const [socket] = await accepted
  const [hello] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  t.teardown(() => {})
  return hello
}

t.test('a TLS handshake is bounded in time, from accept to the first frame', async (t) => {
  const relay = await startRelay(t, { limits: { handshakeTimeoutMs: 1_500 } })
  const hello = await clientHello(t, relay)
  const startedAt = performance.now()
  // Heard from the beginning: on a machine with much else to do some have ended before the last is there.
  const endings: Promise<unknown>[] = []
  const stranger = async () => {
    const socket = await dial(t, relay.dataPort)
    endings.push(ending(socket))
    return socket
  }
  await stranger()
  const half = await stranger()
  half.write(hello.subarray(0, 40))
  const unfinished = await stranger()
  unfinished.write(hello)
  const dribbling = await stranger()
  let at = 0
  const drip = setInterval(() => dribbling.write(hello.subarray(at, ++at)), 5)
  t.teardown(() => clearInterval(drip))
  endings.push(ending(await dialData(t, relay)))
  for (const seen of endings) t.match(await seen, LET_GO)
  t.ok(performance.now() - startedAt < 5_000, 'whatever they do')
})

t.test('handshakes are bounded in number, and those who leave make room', async (t) => {
  const { port: target } = await startEcho(t)
  for (const limit of ['maxHandshakes', 'maxHandshakesPerSource'] as const) {
    const limits = { [limit]: 3, handshakeTimeoutMs: 60_000 }
    const { relay, port } = await startTunnel(t, target, { relay: { limits } })
    const hello = await clientHello(t, relay)
    const held = [await dial(t, relay.dataPort), await dial(t, relay.dataPort), await dialData(t, relay)]
    held[1]?.write(hello)
    const player = await dial(t, port)
    player.write('through')
    t.equal(String(await readBytes(player, 7)), 'through', 'the agent comes in all the same')
    // Room for data connections that are expected is not for strangers to keep.
    const more = await Promise.all(Array.from({ length: 8 }, () => dial(t, relay.dataPort)))
    t.match(await Promise.race(more.map(ending)), LET_GO)
    for (const socket of [...held, ...more]) socket.destroy()
    await until(async () => {
      const again = connect(relay.dataPort, '127.0.0.1')
      again.on('error', () => {})
      await once(again, 'connect')
      const closed = await Promise.race([ending(again), new Promise((resolve) => setTimeout(resolve, 20, 'open'))])
      again.destroy()
      return closed === 'open'
    }, 'there is room again')
  }
})

t.test('bytes that are no TLS do no harm', async (t) => {
  const relay = await startRelay(t, { limits: { handshakeTimeoutMs: 500 } })
  const agent = await startAgent(t, relay)
  const hello = await clientHello(t, relay)
  const record = fc
    .tuple(
      fc.constantFrom(20, 21, 22, 23, 24, 99),
      fc.constantFrom(0x0301, 0x0303, 0x0304),
      fc.uint8Array({ maxLength: 80 }),
    )
    .map(([type, version, body]) => {
      const head = Buffer.from([type, version >> 8, version & 0xff, 0, body.length])
      return Buffer.concat([head, body])
    })
  const spoilt = fc.tuple(fc.nat(hello.length - 1), fc.nat(255), fc.nat(hello.length)).map(([at, byte, length]) => {
    const copy = Buffer.from(hello)
    copy[at] = byte
    return copy.subarray(0, length)
  })
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(record, spoilt, garbage), { minLength: 1, maxLength: 3 }), async (parts) => {
      const socket = await dial(t, relay.dataPort)
      for (const part of parts) socket.write(part)
      socket.end()
      socket.resume()
      if (!socket.closed) await once(socket, 'close')
    }),
    { numRuns: 100 },
  )
  const big = await dial(t, relay.dataPort)
  big.write(Buffer.concat([hello, randomBytes(1_000_000)]))
  t.match(await ending(big), LET_GO)
  const after = await dialData(t, relay)
  after.write(randomBytes(100_000))
  t.match(await ending(after), LET_GO)
  t.ok(agent.links()[0]?.connected)
})

t.test('handshakes that fail are no more than a debug line each', async (t) => {
  const lines: string[] = []
  const log = (level: string) => (_fields: unknown, message: string) => lines.push(`${level} ${message}`)
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const relay = await startRelay(t, { logger })
  for (let n = 0; n < 20; n += 1) {
    const socket = await dial(t, relay.dataPort)
    socket.write('this is no TLS at all, just words')
    await ending(socket)
  }
  await until(() => lines.filter((line) => line.startsWith('debug TLS')).length === 20)
  t.same(
    lines.filter((line) => /^(warn|error)/.test(line)),
    [],
  )
})
