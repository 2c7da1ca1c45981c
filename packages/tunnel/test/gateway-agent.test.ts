import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { hello, openChannel } from './support/channel.js'
import { openDatabase, startGateway } from './support/gateways.js'
import { until } from './support/until.js'

/** Peers run in this process too: one that stands still for a heartbeat loses who has nothing to say. */
const heartbeatMs = 1_000
const database = await openDatabase()
t.teardown(() => database.close())
const { sql } = database
await sql(`INSERT INTO tunnel_relays (id, host_group, kind, host, data_port) VALUES ('r', 'g', 'embedded', 'h', 1)`)
let port = 1

async function allocate(deviceId: string): Promise<number> {
  port += 1
  const [row] = await sql<{ id: number | string }>(
    `INSERT INTO tunnel_allocations (device_id, relay_id, host_group, protocol, port, local_host, local_port)
     VALUES ($1::uuid, 'r', 'g', 'tcp', $2, 'localhost', 1) RETURNING id`,
    [deviceId, port],
  )
  return Number(row?.id)
}

let reads = 0
const gateway = await startGateway(database, {
  heartbeatMs,
  options: {
    issueTicket: async (relayId) => (relayId === 'r' ? 'a-ticket' : undefined),
    readStates: async (deviceIds) => {
      reads += 1
      const rows = await sql<{ id: number | string; device_id: string }>('SELECT id, device_id FROM tunnel_allocations')
      return new Map(
        deviceIds.map((id) => [
          id,
          {
            type: 'state',
            revision: reads,
            relays: [],
            allocations: rows
              .filter(({ device_id }) => device_id === id)
              .map((row) => ({
                id: Number(row.id),
                protocol: 'tcp',
                host: 'h',
                port: 1,
                localHost: 'localhost',
                localPort: 1,
                status: 'open',
                relayId: 'r',
              })),
          },
        ]),
      )
    },
  },
})
t.teardown(() => gateway.stop())

const targetError = async (id: number) => {
  const [row] = await sql<{ target_error: string | null }>(
    'SELECT target_error FROM tunnel_allocations WHERE id = $1',
    [id],
  )
  return row?.target_error
}

t.test('what an agent says of its targets is kept, and taken back when it recovers', async (t) => {
  const device = await database.device()
  const [first, second] = [await allocate(device.id), await allocate(device.id)]
  await sql(`UPDATE tunnel_allocations SET target_error = 'old' WHERE id = $1`, [second])
  const channel = await openChannel(gateway, device.token)
  const say = (refused: object[]) => channel.send({ type: 'status', revision: 1, relays: [], refused })
  say([{ allocationId: first, error: 'target_forbidden' }])
  await until('written', async () => (await targetError(first)) === 'target_forbidden')
  t.equal(await targetError(second), null, 'what an earlier channel said is over')
  say([])
  await until('taken back', async () => (await targetError(first)) === null)
  channel.send({ type: 'ticket', relayId: 'r' })
  t.match(await channel.message('ticket'), { ticket: 'a-ticket' })
  channel.socket.close()
})

t.test('of allocations that are not its own it may not speak', async (t) => {
  const [mine, other] = [await database.device(), await database.device()]
  const foreign = await allocate(other.id)
  await allocate(mine.id)
  const channel = await openChannel(gateway, mine.token)
  const refused = [{ allocationId: foreign, error: 'target_forbidden' }]
  channel.send({ type: 'status', revision: 1, relays: [], refused })
  t.equal(await channel.closed, 4400)
  t.match(channel.messages.at(-1), { type: 'error', error: 'foreign_allocation' })
  t.equal(await targetError(foreign), null)
  const said = gateway.log.lines.filter((line) => line['error'] === 'foreign_allocation')
  t.equal(said.length, 1, 'said once')
})

t.test('an allocation that came while the channel stood may be spoken of, one that went too', async (t) => {
  const device = await database.device()
  const first = await allocate(device.id)
  const channel = await openChannel(gateway, device.token)
  const second = await allocate(device.id)
  await sql('DELETE FROM tunnel_allocations WHERE id = $1', [first])
  gateway.gateway.pushState(device.id)
  await channel.message('state', 1)
  const refused = [first, second].map((allocationId) => ({ allocationId, error: 'target_forbidden' }))
  channel.send({ type: 'status', revision: 1, relays: [], refused })
  await until('written', async () => (await targetError(second)) === 'target_forbidden')
  t.ok(channel.isOpen)
  channel.socket.close()
})

t.test('many pushes in a row are few reads, and the last is sent', async (t) => {
  const device = await database.device()
  const channel = await openChannel(gateway, device.token)
  const before = reads
  for (let n = 0; n < 200; n += 1) gateway.gateway.pushState(device.id)
  const id = await allocate(device.id)
  gateway.gateway.pushState(device.id)
  await until('the last', () =>
    channel.messages.some((one) => one.type === 'state' && one.allocations.some((allocation) => allocation.id === id)),
  )
  t.ok(reads - before <= 3, `${reads - before} reads`)
  channel.socket.close()
})

t.test('what the database cannot store in a hello harms nobody', async (t) => {
  const devices = await Promise.all(Array.from({ length: 8 }, () => database.device()))
  const channels = await Promise.all(devices.map(({ token }) => openChannel(gateway, token, false)))
  for (const [n, channel] of channels.entries()) {
    channel.send({ ...hello, version: n === 0 ? 'a\u0000b' : '1', platform: n === 1 ? '\ud800' : 'x' })
  }
  t.equal(await channels[0]?.closed, 4400)
  for (const channel of channels.slice(1)) await channel.message('welcome')
  for (const { socket } of channels) socket.close()
})

t.test('who speaks between hello and welcome is refused', async (t) => {
  const channel = await openChannel(gateway, (await database.device()).token, false)
  channel.send(hello)
  channel.send({ type: 'ticket', relayId: 'r' })
  t.equal(await channel.closed, 4400)
})

t.test('a silent peer is pinged, and ended after two heartbeats; others stay', async (t) => {
  const [silent, answers] = [await database.device(), await database.device()]
  const alive = await openChannel(gateway, answers.token)
  const dead = await openChannel(gateway, silent.token)
  let pings = 0
  alive.socket.on('ping', () => {
    pings += 1
  })
  const since = performance.now()
  dead.socket.pause()
  await until('it is offline', () => !gateway.gateway.isOnline(silent.id))
  const tookMs = performance.now() - since
  t.ok(tookMs >= heartbeatMs && tookMs < 3 * heartbeatMs + 3_000, `${Math.round(tookMs)} ms`)
  t.ok(pings > 0)
  t.ok(alive.isOpen)
  dead.socket.terminate()
  alive.socket.close()
})

t.test('after a standstill of the process nobody who is there is given up', async (t) => {
  const device = await database.device()
  const channel = await openChannel(gateway, device.token)
  const until_ = performance.now() + 3 * heartbeatMs
  while (performance.now() < until_) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  let pings = 0
  channel.socket.on('ping', () => {
    pings += 1
  })
  await until('it is asked again', () => pings > 1)
  t.ok(channel.isOpen)
  channel.socket.close()
})

t.test('frames of any kind end at most their own channel', async (t) => {
  const witness = await openChannel(gateway, (await database.device()).token)
  const device = await database.device()
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom('hello', 'status', 'ticket', 'relay_status', 'relay_traffic', 'admission', '__proto__'),
        revision: fc.oneof(fc.nat(), fc.anything()),
        relays: fc.oneof(fc.constant([]), fc.anything()),
        refused: fc.oneof(fc.array(fc.record({ allocationId: fc.nat(), error: fc.string() })), fc.anything()),
        relayId: fc.anything(),
        relay: fc.anything(),
        protocol: fc.anything(),
      })
      .map((message) => JSON.stringify(message) ?? ''),
  )
  const frame = fc.oneof(text, fc.uint8Array({ maxLength: 200 }))
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), fc.boolean(), async (frames, greet) => {
      const channel = await openChannel(gateway, device.token, greet)
      for (const one of frames) channel.socket.send(one)
      channel.socket.send('the end')
      return (await channel.closed) === 4400
    }),
    { numRuns: 100 },
  )
  t.ok(witness.isOpen)
  t.same(
    gateway.log.lines.filter(({ level }) => level >= 50),
    [],
  )
  witness.socket.close()
})

t.test('raw garbage on the socket ends at most its own channel', async (t) => {
  const witness = await openChannel(gateway, (await database.device()).token)
  const device = await database.device()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      const channel = await openChannel(gateway, device.token)
      const raw = (channel.socket as unknown as { _socket: import('node:net').Socket })._socket
      raw.write(bytes)
      // Not masked: a breach of RFC 6455 section 5.1, whatever came before it was.
      raw.write(Buffer.alloc(70_000, 0x81))
      await channel.closed
      channel.socket.terminate()
    }),
    { numRuns: 30 },
  )
  t.ok(witness.isOpen)
  t.notOk(gateway.gateway.isOnline(randomUUID()))
  witness.socket.close()
})
