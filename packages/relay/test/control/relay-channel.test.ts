import t from 'tap'
import { parseAgentMessage } from '../../dist/control/control-parser.js'
import { freePort } from '../free-port.js'
import {
  allocation,
  dial,
  ending,
  portOf,
  readAll,
  startAgent,
  startEcho,
  startService,
  until,
  within,
} from '../support.js'
import { change, RELAY_ID, report, scene, state, welcome } from './relay-channel-scene.js'

t.test('hello says what the relay is; a state is brought into force and told', async (t) => {
  const hello = { hostGroup: 'eu', region: 'eu-west', labels: { tier: 'gold' }, capacity: 10 }
  const { panel, relay, next } = await scene(t, { hello: { ...hello, portRange: { from: 20_000, to: 20_009 } } })
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, 'Bearer token-of-the-relay')
  const said = await welcome(connection)
  t.match(said, {
    protocol: 1,
    version: '9.9.9',
    relay: {
      ...hello,
      publicHost: 'localhost',
      dataPort: relay.dataPort,
      ticketKey: Buffer.from(relay.ticketKey).toString('base64url'),
      epoch: relay.epoch,
      revision: 0,
    },
  })
  t.equal(parseAgentMessage(JSON.stringify(said)).ok, true)
  t.strictSame(await next('connected'), { deviceId: RELAY_ID, name: 'box' })

  const [port, taken] = [await freePort(), (await startService(t, () => {})).port]
  connection.send(state(7, [allocation(1, 9, { port }), allocation(2, 9, { port: taken })]))
  t.strictSame(await next('applied'), { revision: 7, stored: true })
  t.match(await report(connection, 'relay_status'), {
    revision: 7,
    allocations: [
      { id: 1, status: 'listening' },
      { id: 2, status: 'failed', error: 'EADDRINUSE' },
    ],
    devices: 0,
    connections: 0,
    draining: false,
  })
  connection.send(change(7, 8, [allocation(1, 9, { port, paused: true })], [2]))
  t.match(await report(connection, 'relay_status'), { revision: 8, allocations: [{ id: 1, status: 'paused' }] })
  t.strictSame(
    relay.status().allocations.map(({ allocationId }) => allocationId),
    [1],
  )
})

t.test('parts of a state and of a change come into force together', async (t) => {
  const { panel, relay, next } = await scene(t)
  const connection = await panel.nextConnection()
  await welcome(connection)
  connection.send(state(1, [allocation(1, 9)], 0, 3))
  connection.send(state(1, [allocation(2, 9)], 1, 3))
  const pong = new Promise((resolve) => connection.ws.once('pong', resolve))
  connection.ws.ping()
  await pong
  t.equal(relay.status().allocations.length, 0)
  connection.send(state(1, [], 2, 3))
  await next('applied')
  t.equal(relay.status().allocations.length, 2)
  connection.send(change(1, 2, [], [1], 0, 2))
  connection.send(change(1, 2, [allocation(3, 9)], [], 1, 2))
  connection.send(change(2, 3, [allocation(4, 9)]))
  t.equal((await next('applied')).revision, 2)
  t.equal((await next('applied')).revision, 3)
  t.strictSame(
    relay
      .status()
      .allocations.map(({ allocationId }) => allocationId)
      .sort(),
    [2, 3, 4],
  )
})

t.test('many conditions are told in several messages, of which the last acknowledges', async (t) => {
  const { panel } = await scene(t)
  const connection = await panel.nextConnection()
  await welcome(connection)
  const paused = Array.from({ length: 2_500 }, (_, index) => allocation(index + 1, 9, { port: 1, paused: true }))
  connection.send(state(4, paused))
  const ids = new Set<number>()
  for (;;) {
    const { revision, allocations } = await report(connection, 'relay_status')
    for (const { id } of allocations as { id: number }[]) ids.add(id)
    if (revision === 4) break
    t.ok(Number(revision) < 4)
  }
  t.equal(ids.size, 2_500)
})

t.test('the panel goes: the relay serves on; back: totals and ended connections are told', async (t) => {
  const { panel, relay, channel } = await scene(t)
  const first = await panel.nextConnection()
  await welcome(first)
  const echo = await startEcho(t)
  first.send(state(1, [allocation(1, echo.port, { deviceId: 'agent-1' })]))
  await report(first, 'relay_status')
  await startAgent(t, relay, {}, 'agent-1')
  t.match(await report(first, 'relay_status'), { devices: 1 })

  const play = async (text: string) => {
    const player = await dial(t, portOf(relay, 1))
    player.end(text)
    t.equal(String(await readAll(player)), text)
  }
  await play('hello')
  for (;;) {
    const { epoch, totals } = await report(first, 'relay_traffic')
    t.equal(epoch, relay.epoch)
    if (JSON.stringify(totals) === '[[1,5,5,1,0]]') break
  }
  t.match(await report(first, 'relay_connections'), {
    ended: [{ allocationId: 1, protocol: 'tcp', bytesIn: 5, bytesOut: 5, reason: 'end' }],
    dropped: 0,
  })
  panel.refuseUpgrade = () => ({ status: 502, body: 'away' })
  first.ws.terminate()
  await until(() => !channel.connected, 'the loss of the panel')
  await play('alone')
  await until(() => relay.traffic()[0]?.open === 0, 'the end of the connection')
  panel.refuseUpgrade = () => undefined

  const second = await panel.nextConnection()
  await welcome(second)
  second.send(state(2, [allocation(1, echo.port, { deviceId: 'agent-1' })]))
  const seen: unknown[] = []
  t.match(await report(second, 'relay_status'), { devices: 1, allocations: [{ id: 1, status: 'listening' }] })
  for (const type of ['relay_traffic', 'relay_connections']) seen.push(await report(second, type))
  t.match(seen, [{ totals: [[1, 10, 10, 2, 0]] }, { ended: [{ bytesIn: 5, reason: 'end' }], dropped: 0 }])
  second.send({ type: 'relay_disconnect', deviceId: 'agent-1' })
  for (;;) if ((await report(second, 'relay_status'))['devices'] === 0) break
})

t.test('admission: the panel is asked, and without an answer its terms hold', async (t) => {
  const { panel, relay, channel } = await scene(t)
  const echo = await startEcho(t)
  const allocations = [allocation(1, echo.port, { deviceId: 'agent-1' })]
  const connection = await panel.nextConnection()
  await welcome(connection, { admission: { timeoutMs: 1_500, otherwise: 'deny' } })
  connection.send(state(1, allocations))
  await report(connection, 'relay_status')
  await startAgent(t, relay, {}, 'agent-1')
  const port = portOf(relay, 1)
  const knock = async () => {
    const socket = await dial(t, port)
    socket.end('x')
    return socket
  }
  const allowed = await knock()
  const question = await report(connection, 'admission')
  t.match(question, { allocationId: 1, protocol: 'tcp', remoteAddress: '127.0.0.1', remotePort: allowed.localPort })
  connection.send({ type: 'admission', id: 999, allow: true })
  connection.send({ type: 'admission', id: question['id'], allow: true })
  t.equal(String(await readAll(allowed)), 'x')

  const denied = await knock()
  connection.send({ type: 'admission', id: (await report(connection, 'admission'))['id'], allow: false })
  t.not(await ending(denied), 'open')
  const unanswered = await knock()
  await report(connection, 'admission')
  await ending(unanswered)
  t.equal(relay.traffic()[0]?.connections, 1)

  panel.refuseUpgrade = () => ({ status: 502, body: 'away' })
  connection.ws.terminate()
  await until(() => !channel.connected, 'the loss of the panel')
  await ending(await knock())
  t.equal(relay.traffic()[0]?.connections, 1, 'denied while the panel is away')
  panel.refuseUpgrade = () => undefined
  const second = await panel.nextConnection()
  await welcome(second)
  second.send(state(2, allocations))
  await report(second, 'relay_status')
  t.equal(String(await readAll(await knock())), 'x', 'a panel that does not ask lets everybody in')
})

t.test('a storage that fails: in force, told to the panel, and said', async (t) => {
  const storage = {
    load: async () => undefined,
    save: async () => {
      throw new Error('disk full')
    },
    close: async () => {},
  }
  const { panel, relay, next } = await scene(t, {}, { storage, ticketKey: Buffer.alloc(32, 1) })
  const connection = await panel.nextConnection()
  await welcome(connection)
  connection.send(state(3, [allocation(1, 9)]))
  t.strictSame(await next('applied'), { revision: 3, stored: false })
  t.match(await report(connection, 'relay_status'), { revision: 3, allocations: [{ id: 1, status: 'listening' }] })
  t.equal(relay.status().revision, 3)
})

t.test('draining is told, and stopping closes in order', async (t) => {
  const { panel, channel } = await scene(t)
  const connection = await panel.nextConnection()
  await welcome(connection)
  connection.send(state(1, []))
  t.match(await report(connection, 'relay_status'), { draining: false })
  channel.drain()
  t.match(await report(connection, 'relay_status'), { draining: true })
  await channel.stop()
  t.equal(await within(connection.closed, 'the close'), 1000)
})
