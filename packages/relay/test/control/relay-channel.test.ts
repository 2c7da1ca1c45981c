import t, { type Test } from 'tap'
import { ControlCloseCode, MAX_PANEL_MESSAGE_BYTES } from '../../dist/control/control.js'
import { parseAgentMessage, parseRelayMessage } from '../../dist/control/control-parser.js'
import { createRelayChannel } from '../../dist/control/relay-channel.js'
import type { RelayChannel, RelayChannelEvents, RelayChannelOptions } from '../../dist/control/relay-channel-types.js'
import { createRelay, type Relay, type RelayAllocation, type RelayOptions } from '../../dist/index.js'
import { createFakePanel, createQueue, type FakeConnection, type FakePanel, until, within } from '../fake-panel.js'
import { freePort } from '../free-port.js'
import { allocation, dial, ending, portOf, readAll, startAgent, startEcho, startService } from '../support.js'

const QUICK = {
  quickTries: 3,
  quickMinMs: 5,
  quickMaxMs: 10,
  slowStartMs: 20,
  maxMs: 50,
  connectTimeoutMs: 2_000,
  statusDelayMs: 5,
  replacedRetryMs: 100,
  reportIntervalMs: 20,
}
const RELAY_ID = 'device-1'

type Name = keyof RelayChannelEvents

interface Scene {
  panel: FakePanel
  relay: Relay
  channel: RelayChannel
  next<E extends Name>(event: E): Promise<RelayChannelEvents[E]>
}

async function scene(
  t: Test,
  options: Partial<RelayChannelOptions> = {},
  relayOptions: RelayOptions = {},
): Promise<Scene> {
  const panel = await createFakePanel()
  const relay = createRelay({ id: RELAY_ID, dataPort: 0, ...relayOptions })
  await relay.start()
  const channel = createRelayChannel({
    panel: panel.url,
    token: () => 'token-of-the-relay',
    relay,
    version: '9.9.9',
    timings: QUICK,
    ...options,
  })
  const queue = createQueue<{ event: Name; payload: unknown }>()
  for (const event of ['connected', 'disconnected', 'applied', 'refused', 'replaced', 'waiting'] as const) {
    channel.on(event, (payload) => queue.push({ event, payload }))
  }
  t.teardown(async () => {
    await channel.stop()
    await relay.stop()
    await panel.close()
  })
  channel.start()
  return {
    panel,
    relay,
    channel,
    async next<E extends Name>(event: E) {
      for (;;) {
        const entry = await queue.next(`event '${event}'`)
        if (entry.event === event) return entry.payload as RelayChannelEvents[E]
      }
    },
  }
}

async function welcome(connection: FakeConnection, more: object = {}): Promise<Record<string, unknown>> {
  const hello = await connection.next('hello')
  const greeting = { type: 'welcome', protocol: 1, deviceId: RELAY_ID, name: 'box', heartbeatMs: 5_000 }
  connection.send({ ...greeting, ...more })
  return hello
}

function state(revision: number, allocations: RelayAllocation[], part = 0, parts = 1) {
  return { type: 'relay_state', revision, part, parts, allocations }
}

function change(base: number, revision: number, upsert: RelayAllocation[], remove: number[] = [], part = 0, parts = 1) {
  return { type: 'relay_change', base, revision, part, parts, upsert, remove }
}

/** The next message of the type, which the panel's parser must take. */
async function report(connection: FakeConnection, type: string): Promise<Record<string, unknown>> {
  const message = await connection.next(type)
  const parsed = parseRelayMessage(JSON.stringify(message))
  if (!parsed.ok) throw new Error(`the panel would refuse ${type}: ${parsed.field}`)
  return message
}

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

const broken: [string, unknown[]][] = [
  ['a change before a state', [change(1, 2, [])]],
  ['a change of another base', [state(5, []), change(4, 6, [])]],
  ['a part that is missing', [state(5, [], 0, 3), state(5, [], 2, 3)]],
  ['parts of two revisions', [state(5, [], 0, 2), state(6, [], 1, 2)]],
  ['a part without a first one', [state(5, [], 1, 2)]],
  ['the same id twice', [state(5, [allocation(1, 9), allocation(1, 9)])]],
  ['an allocation with nonsense in it', [state(5, [{ ...allocation(1, 9), port: -1 }])]],
  ['text that is no JSON', ['garbage']],
  ['a message over the limit', ['x'.repeat(MAX_PANEL_MESSAGE_BYTES + 1)]],
]
for (const [name, messages] of broken) {
  t.test(`${name}: the connection is closed, and the whole is fetched anew`, async (t) => {
    const { panel, relay, next } = await scene(t)
    const connection = await panel.nextConnection()
    await welcome(connection)
    for (const message of messages) {
      if (typeof message === 'string') connection.ws.send(message)
      else connection.send(message)
    }
    t.match(await next('disconnected'), { reason: name.includes('limit') ? 'too_large' : 'bad_message' })
    const code = await within(connection.closed, 'the close')
    t.ok(code === ControlCloseCode.badMessage || code === 1009, String(code))
    const again = await panel.nextConnection()
    await welcome(again)
    again.send(state(9, [allocation(1, 9)]))
    t.match(await report(again, 'relay_status'), { revision: 9, allocations: [{ id: 1, status: 'listening' }] })
    t.equal(relay.status().revision, 9)
  })
}

t.test('a state older than the one in force: comes back, naming the revision to pass', async (t) => {
  const { panel, next } = await scene(t)
  const first = await panel.nextConnection()
  await welcome(first)
  first.send(state(50, []))
  await next('applied')
  first.ws.terminate()
  const second = await panel.nextConnection()
  t.match(await welcome(second), { relay: { revision: 50 } })
  second.send(state(3, [allocation(1, 9)]))
  t.match(await next('disconnected'), { reason: 'closed' })
  t.match(await next('disconnected'), { reason: 'bad_message', detail: /revision 3/ })
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
  await welcome(connection, { admission: { timeoutMs: 150, otherwise: 'deny' } })
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

t.test('refused: a revoked token, another device, and a hello that the panel declines', async (t) => {
  const revoked = await scene(t)
  const first = await revoked.panel.nextConnection()
  await welcome(first)
  first.ws.close(ControlCloseCode.revoked)
  t.match(await revoked.next('refused'), { reason: 'revoked' })

  const other = await scene(t)
  const second = await other.panel.nextConnection()
  await welcome(second, { deviceId: 'device-2' })
  t.match(await other.next('refused'), { reason: 'relay_id_mismatch', detail: /device-2/ })
  await within(second.closed, 'the close')

  const declined = await scene(t)
  const third = await declined.panel.nextConnection()
  await third.next('hello')
  third.send({ type: 'error', error: 'not_a_server', detail: 'relays need a device of kind server' })
  third.ws.close(ControlCloseCode.badMessage)
  t.strictSame(await declined.next('refused'), { reason: 'declined', detail: 'relays need a device of kind server' })
  t.equal(declined.channel.connected, false)
  for (const { relay } of [revoked, other, declined]) t.equal(relay.status().running, true)
})

t.test('a decline that comes later is no end, nor is a panel of another protocol', async (t) => {
  const { panel, next } = await scene(t)
  const first = await panel.nextConnection()
  await first.next('hello')
  first.send({ type: 'error', error: 'protocol_unsupported', detail: 'update' })
  first.ws.close(ControlCloseCode.badMessage)
  t.match(await next('disconnected'), { reason: 'protocol_unsupported', declined: true })
  const second = await panel.nextConnection()
  await welcome(second)
  await next('connected')
  second.ws.terminate()
  const third = await panel.nextConnection()
  await third.next('hello')
  third.send({ type: 'error', error: 'busy', detail: 'later' })
  third.ws.close(ControlCloseCode.badMessage)
  for (;;) if ((await next('disconnected')).reason === 'busy') break
  await welcome(await panel.nextConnection())
  await next('connected')
})

t.test('replaced: stays away for the time set', async (t) => {
  const { panel, next } = await scene(t)
  const connection = await panel.nextConnection()
  await welcome(connection)
  connection.ws.close(ControlCloseCode.replaced)
  t.strictSame(await next('replaced'), { retryInMs: QUICK.replacedRetryMs })
  await panel.nextConnection()
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

t.test('a relay that is not started cannot introduce itself: tried again', async (t) => {
  const { panel, relay, next } = await scene(t)
  const connection = await panel.nextConnection()
  await welcome(connection)
  await relay.stop()
  connection.ws.terminate()
  t.match(await next('disconnected'), { reason: 'closed' })
  t.match(await next('disconnected'), { reason: 'not_ready' })
  await panel.nextConnection()
  panel.refuseUpgrade = () => ({ status: 502, body: 'away' })
  while ((await next('disconnected')).reason === 'not_ready') await panel.nextConnection()
  await relay.start()
  panel.refuseUpgrade = () => undefined
  t.match(await welcome(await panel.nextConnection()), { relay: { dataPort: relay.dataPort } })
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
