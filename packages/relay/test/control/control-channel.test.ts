import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { AgentEvents, AgentRelay } from '../../dist/agent-types.js'
import { ControlCloseCode, MAX_PANEL_MESSAGE_BYTES } from '../../dist/control/control.js'
import { createControlChannel } from '../../dist/control/control-channel.js'
import type { ControlChannel, ControlChannelEvents, ControlledAgent } from '../../dist/control/control-channel-types.js'
import { createFakePanel, createQueue, type FakePanel, html, problem, until, within } from '../fake-panel.js'

const TOKEN = 'device-token-0123456789'
const QUICK = {
  quickTries: 3,
  quickMinMs: 5,
  quickMaxMs: 10,
  slowStartMs: 20,
  maxMs: 50,
  connectTimeoutMs: 2_000,
  statusDelayMs: 5,
  featureRetryMs: 10,
  replacedRetryMs: 30,
}
const RELAY = { id: 'eu1', host: '127.0.0.1', port: 7_350, ticket: 'ticket-1' }

const TUNNEL = {
  protocol: 'tcp',
  host: 'play.example.com',
  port: 20_001,
  localHost: '127.0.0.1',
  localPort: 25_565,
  status: 'open',
  relayId: 'eu1',
}

type Calls = { connect: AgentRelay[]; disconnect: string[] }

function fakeAgent(): ControlledAgent & {
  calls: Calls
  emit<E extends keyof AgentEvents>(event: E, payload: AgentEvents[E]): void
} {
  const handlers = new Map<string, Set<(payload: never) => void>>()
  const calls: Calls = { connect: [], disconnect: [] }
  return {
    calls,
    connect: (relay) => void calls.connect.push(relay),
    disconnect: (relayId) => void calls.disconnect.push(relayId),
    links: () => [{ relayId: 'eu1', host: '127.0.0.1', port: 7_350, encryption: 'tls', connected: true, rttMs: 1.25 }],
    refusals: () => [
      {
        relayId: 'eu1',
        allocationId: 3,
        protocol: 'tcp',
        target: { host: '10.0.0.1', port: 22 },
        error: 'target_forbidden',
      },
    ],
    on(event, handler) {
      const set = handlers.get(event) ?? new Set()
      handlers.set(event, set.add(handler as (payload: never) => void))
      return () => void set.delete(handler as (payload: never) => void)
    },
    emit(event, payload) {
      for (const handler of handlers.get(event) ?? []) handler(payload as never)
    },
  }
}

type Seen = {
  [E in keyof ControlChannelEvents]: { event: E; payload: ControlChannelEvents[E] }
}[keyof ControlChannelEvents]

function watch(channel: ControlChannel): {
  next<E extends Seen['event']>(event: E): Promise<ControlChannelEvents[E]>
  seen: Seen[]
} {
  const queue = createQueue<Seen>()
  const seen: Seen[] = []
  for (const event of ['connected', 'disconnected', 'state', 'refused', 'replaced', 'waiting'] as const) {
    channel.on(event, (payload) => {
      seen.push({ event, payload } as Seen)
      queue.push({ event, payload } as Seen)
    })
  }
  return {
    seen,
    async next<E extends Seen['event']>(event: E) {
      for (;;) {
        const entry = await queue.next(`event '${event}'`)
        if (entry.event === event) return entry.payload as ControlChannelEvents[E]
      }
    },
  }
}

function start(t: Test, panel: string, timings: Record<string, number> = {}) {
  const agent = fakeAgent()
  const channel = createControlChannel({
    panel,
    token: () => TOKEN,
    agent,
    version: '9.9.9',
    timings: { ...QUICK, ...timings },
  })
  const events = watch(channel)
  t.teardown(() => channel.stop())
  channel.start()
  return { agent, channel, events }
}

async function panelFor(t: Test): Promise<FakePanel> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  return panel
}

t.test('hello, welcome and state: the agent is fed and the panel told how it stands', async (t) => {
  const panel = await panelFor(t)
  const { agent, channel, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
  t.match(await connection.next('hello'), {
    protocol: 1,
    version: '9.9.9',
    platform: `${process.platform}-${process.arch}`,
  })
  t.equal(channel.connected, false)
  connection.send({ type: 'welcome', protocol: 1, deviceId: 'd1', name: 'box', heartbeatMs: 5_000 })
  t.strictSame(await events.next('connected'), { deviceId: 'd1', name: 'box' })
  t.equal(channel.connected, true)
  const tunnel = { ...TUNNEL, id: 3 }
  connection.send({ type: 'state', revision: 7, allocations: [tunnel], relays: [RELAY] })
  t.equal((await events.next('state')).revision, 7)
  t.strictSame(agent.calls.connect, [RELAY])
  t.strictSame(await connection.next('status'), {
    type: 'status',
    revision: 7,
    relays: [{ id: 'eu1', connected: true, rttMs: 1.25 }],
    refused: [{ allocationId: 3, error: 'target_forbidden' }],
  })
  agent.emit('link', { relayId: 'eu1', connected: false })
  t.equal((await connection.next('status'))['revision'], 7, 'a change of a link is reported')
})

t.test('an older state is ignored, a relay that is gone is disconnected', async (t) => {
  const panel = await panelFor(t)
  const { agent, channel, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  const second = { ...RELAY, id: 'us1' }
  connection.send({ type: 'state', revision: 5, allocations: [], relays: [RELAY, second] })
  await events.next('state')
  connection.send({ type: 'state', revision: 4, allocations: [], relays: [] })
  connection.send({ type: 'state', revision: 6, allocations: [], relays: [second] })
  t.equal((await events.next('state')).revision, 6, 'revision 4 made no event')
  t.strictSame(agent.calls.disconnect, ['eu1'])
  t.equal(channel.state()?.revision, 6)
})

t.test('after a reconnect a lower revision counts: the panel may have been restored', async (t) => {
  const panel = await panelFor(t)
  const { agent, events } = start(t, panel.url)
  const first = await panel.nextConnection()
  await first.welcome()
  first.send({ type: 'state', revision: 50, allocations: [], relays: [RELAY] })
  await events.next('state')
  first.ws.close(ControlCloseCode.goingAway)
  t.match(await events.next('disconnected'), { reason: 'going_away', wasConnected: true })
  t.strictSame(agent.calls.disconnect, [], 'links stay when the panel goes')
  const second = await panel.nextConnection()
  await second.welcome()
  second.send({ type: 'state', revision: 2, allocations: [], relays: [] })
  t.equal((await events.next('state')).revision, 2)
  t.strictSame(agent.calls.disconnect, ['eu1'])
})

t.test(
  'nothing is reported before the first state of a connection, nor of allocations that are not in it',
  async (t) => {
    const panel = await panelFor(t)
    const { agent, events } = start(t, panel.url, { statusDelayMs: 1, statusIntervalMs: 5 })
    const first = await panel.nextConnection()
    await first.welcome()
    first.send({ type: 'state', revision: 50, allocations: [{ ...TUNNEL, id: 3 }], relays: [RELAY] })
    t.match(await first.next('status'), { revision: 50, refused: [{ allocationId: 3 }] })
    first.send({ type: 'state', revision: 51, allocations: [{ ...TUNNEL, id: 4 }], relays: [RELAY] })
    for (;;) {
      const status = await first.next('status')
      if (status['revision'] !== 51) continue
      t.equal(status['refused'], undefined)
      break
    }
    first.ws.close(ControlCloseCode.goingAway)
    await events.next('disconnected')
    const second = await panel.nextConnection()
    const early: unknown[] = []
    second.ws.on('message', (data) => early.push(JSON.parse(String(data)).type))
    await second.welcome()
    agent.emit('link', { relayId: 'eu1', connected: true })
    agent.emit('ticketNeeded', { relayId: 'eu1' })
    // Both ways and back: what was to come before the pong has come.
    for (let round = 0; round < 5; round += 1) {
      const pong = new Promise((resolve) => second.ws.once('pong', resolve))
      second.ws.ping()
      await pong
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    t.strictSame(early, ['hello'])
    second.send({ type: 'state', revision: 2, allocations: [], relays: [RELAY] })
    t.match(await second.next('status'), { revision: 2 })
  },
)

t.test('a ticket is asked for, handed over, and asked for more slowly when refused again', async (t) => {
  const panel = await panelFor(t)
  const { agent, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [RELAY] })
  await events.next('state')
  agent.emit('ticketNeeded', { relayId: 'unknown' })
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  t.strictSame(await connection.next('ticket'), { type: 'ticket', relayId: 'eu1' })
  connection.send({ type: 'ticket', relayId: 'stranger', ticket: 'x' })
  connection.send({ type: 'ticket', relayId: 'eu1', ticket: 'ticket-2' })
  await until(() => agent.calls.connect.length === 2, 'the new ticket')
  t.strictSame(agent.calls.connect[1], { ...RELAY, ticket: 'ticket-2' })
  const before = performance.now()
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  await connection.next('ticket')
  t.ok(performance.now() - before > 500, 'the second request in a row waits')
  agent.emit('link', { relayId: 'eu1', connected: true })
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  await connection.next('ticket')
})

t.test('an agent that throws does not end the connection', async (t) => {
  const panel = await panelFor(t)
  const { agent, events } = start(t, panel.url)
  agent.connect = () => {
    throw new Error('stopped')
  }
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [RELAY] })
  await events.next('state')
  connection.send({ type: 'state', revision: 2, allocations: [], relays: [RELAY] })
  t.equal((await events.next('state')).revision, 2)
})

for (const [code, reason] of [
  [ControlCloseCode.badToken, 'bad_token'],
  [ControlCloseCode.revoked, 'revoked'],
] as const) {
  t.test(`close code ${code} ends the channel`, async (t) => {
    const panel = await panelFor(t)
    const { channel, events } = start(t, panel.url)
    const connection = await panel.nextConnection()
    await connection.welcome()
    await events.next('connected')
    connection.ws.close(code)
    t.match(await events.next('refused'), { reason })
    t.equal(channel.connected, false)
    channel.start()
    await (await panel.nextConnection()).welcome()
    await events.next('connected')
    t.pass('and can be started again with another token')
  })
}

t.test('401 on the upgrade ends the channel', async (t) => {
  const panel = await panelFor(t)
  panel.refuseUpgrade = () => problem(401, 'unauthorized')
  const { events } = start(t, panel.url)
  t.match(await events.next('refused'), { reason: 'bad_token' })
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(events.seen.length, 1, 'no further try')
})

t.test('401 of somebody else in its place does not', async (t) => {
  const panel = await panelFor(t)
  const answers = [html(401), { status: 401, body: { message: 'Unauthorized' } }]
  panel.refuseUpgrade = () => answers.shift()
  const { events } = start(t, panel.url)
  for (let count = 0; count < 2; count += 1) {
    t.match(await events.next('disconnected'), { reason: 'not_a_panel', detail: /HTTP 401/ })
  }
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})

t.test('a panel without the route is too old', async (t) => {
  const panel = await panelFor(t)
  panel.refuseUpgrade = () => problem(404, 'not_found', 'There is nothing here')
  const { events } = start(t, panel.url)
  t.match(await events.next('disconnected'), { reason: 'panel_too_old', detail: /update the panel/ })
})

t.test('a token that cannot be sent is refused without a connection', async (t) => {
  const agent = fakeAgent()
  for (const token of ['', 'line\r\nbreak', 'é']) {
    const channel = createControlChannel({ panel: 'http://127.0.0.1:9', token: () => token, agent })
    const events = watch(channel)
    channel.start()
    t.match(await events.next('refused'), { reason: 'bad_token' })
    await channel.stop()
  }
  const failing = createControlChannel({
    panel: 'http://127.0.0.1:9',
    agent,
    token: () => {
      throw new Error('no key ring')
    },
  })
  const events = watch(failing)
  failing.start()
  t.match(await events.next('refused'), { reason: 'bad_token' })
})

t.test('replaced: said, stays away for the time set, then returns', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url, { replacedRetryMs: 200 })
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.ws.close(ControlCloseCode.replaced)
  t.strictSame(await events.next('replaced'), { retryInMs: 200 })
  const before = performance.now()
  await panel.nextConnection()
  t.ok(performance.now() - before > 100)
})

t.test('feature_disabled on the upgrade: waits and comes when tunnels are on', async (t) => {
  const panel = await panelFor(t)
  let refusals = 0
  panel.refuseUpgrade = () => {
    refusals += 1
    return refusals <= 2 ? problem(403, 'feature_disabled', 'off') : undefined
  }
  const { events } = start(t, panel.url)
  t.match(await events.next('waiting'), { reason: 'feature_disabled' })
  t.match(await events.next('waiting'), { reason: 'feature_disabled' })
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})

t.test('feature_disabled said on a connection: waits, whatever the close code', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'error', error: 'feature_disabled', detail: 'off' })
  connection.ws.close(ControlCloseCode.revoked)
  await events.next('waiting')
  await panel.nextConnection()
})

t.test('other answers to the upgrade are failures with words, and tried again', async (t) => {
  const panel = await panelFor(t)
  const answers = [
    problem(403, 'forbidden', 'not you'),
    { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
    html(404),
    html(502),
    problem(503, 'unavailable', 'database', { 'retry-after': '0' }),
  ]
  const reasons = ['forbidden', 'redirected', 'not_a_panel', 'unavailable', 'unavailable']
  const tokens: unknown[] = []
  panel.refuseUpgrade = (headers) => {
    tokens.push(headers.authorization)
    return answers.shift()
  }
  const { events } = start(t, panel.url)
  for (const reason of reasons) t.match(await events.next('disconnected'), { reason, wasConnected: false })
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
  t.equal(tokens.length, reasons.length + 1, 'one request for each try: the redirect was not followed')
})

t.test('Retry-After is heeded', async (t) => {
  const panel = await panelFor(t)
  panel.refuseUpgrade = () => problem(503, 'unavailable', '', { 'retry-after': '7' })
  const { events } = start(t, panel.url)
  const { retryInMs } = await events.next('disconnected')
  t.ok(retryInMs >= 7_000 && retryInMs <= 10_500, 'and spread, since others were told the same')
})

t.test('a panel that is away: tries go on, more slowly, and find it when it is back', async (t) => {
  const gone = await createFakePanel()
  const port = Number(new URL(gone.url).port)
  await gone.close()
  const { events } = start(t, gone.url)
  const waits: number[] = []
  for (let tries = 0; tries < 6; tries += 1) {
    const { reason, retryInMs } = await events.next('disconnected')
    t.equal(reason, 'unreachable')
    waits.push(retryInMs)
  }
  t.ok(Math.max(...waits.slice(0, 3)) <= QUICK.quickMaxMs)
  t.ok(Math.min(...waits.slice(4)) > QUICK.quickMaxMs)
  t.ok(Math.max(...waits) <= QUICK.maxMs)
  const panel = await createFakePanel(port)
  t.teardown(() => panel.close())
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})

t.test('a panel that welcomes and drops at once is not hammered', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const waits: number[] = []
  for (let tries = 0; tries < 6; tries += 1) {
    const connection = await panel.nextConnection()
    await connection.welcome()
    connection.ws.terminate()
    waits.push((await events.next('disconnected')).retryInMs)
  }
  t.ok(Math.min(...waits.slice(4)) > QUICK.quickMaxMs)
})

t.test('a connection that lived long makes the next tries quick again', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url, { stableAfterMs: 0 })
  for (let tries = 0; tries < 5; tries += 1) {
    const connection = await panel.nextConnection()
    await connection.welcome()
    connection.ws.terminate()
    t.ok((await events.next('disconnected')).retryInMs <= QUICK.quickMaxMs)
  }
})

t.test('a panel that falls silent is dropped within the heartbeat, one that answers is kept', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  let pings = 0
  connection.ws.on('ping', () => {
    pings += 1
  })
  await connection.welcome(60)
  await events.next('connected')
  await until(() => pings >= 5, 'pings of the agent')
  t.equal(events.seen.length, 1, 'answered pings keep it')
  const before = performance.now()
  connection.ws.pause()
  t.match(await events.next('disconnected'), { reason: 'timeout', wasConnected: true })
  t.ok(performance.now() - before < 2_000)
  connection.ws.terminate()
})

t.test('a process that was held up keeps a connection that is alive', async (t) => {
  const panel = await panelFor(t)
  const { channel, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome(200)
  await events.next('connected')
  // The timers of both ends are due long before anything is read.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_800)
  let pings = 0
  connection.ws.on('ping', () => {
    pings += 1
  })
  await until(() => pings >= 5, 'pings of the agent')
  t.equal(channel.connected, true)
  t.equal(events.seen.length, 1)
  connection.ws.pause()
  t.match(await events.next('disconnected'), { reason: 'timeout' }, 'and is still watched')
  connection.ws.terminate()
})

t.test('a socket that accepts and never answers is given up', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const { events } = start(t, `http://127.0.0.1:${port}`, { connectTimeoutMs: 60 })
  t.match(await events.next('disconnected'), { reason: 'timeout', wasConnected: false })
  t.match(await events.next('disconnected'), { reason: 'timeout' })
})

t.test('a panel that upgrades and never welcomes is given up', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url, { connectTimeoutMs: 100 })
  t.match(await events.next('disconnected'), { reason: 'timeout', wasConnected: false })
})

t.test('an answer that is no HTTP is a failure', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end('SSH-2.0-OpenSSH_9.2\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const { events } = start(t, `http://127.0.0.1:${port}`)
  await events.next('disconnected')
  await events.next('disconnected')
})

const nonsense: [string, (ws: { send(data: unknown, options?: object): void }) => void, string][] = [
  ['text that is no JSON', (ws) => ws.send('garbage'), 'bad_message'],
  ['a known type with nonsense in it', (ws) => ws.send('{"type":"state","revision":"x"}'), 'bad_message'],
  ['a binary message', (ws) => ws.send(Buffer.from('{}'), { binary: true }), 'bad_message'],
  [
    'a second welcome',
    (ws) => ws.send('{"type":"welcome","protocol":1,"deviceId":"d","name":"n","heartbeatMs":5000}'),
    'bad_message',
  ],
  ['a message over the limit', (ws) => ws.send('x'.repeat(MAX_PANEL_MESSAGE_BYTES + 1)), 'too_large'],
]
for (const [name, send, reason] of nonsense) {
  t.test(`${name} closes the connection, and the next is tried`, async (t) => {
    const panel = await panelFor(t)
    const { events } = start(t, panel.url)
    const connection = await panel.nextConnection()
    await connection.welcome()
    await events.next('connected')
    send(connection.ws)
    t.match(await events.next('disconnected'), { reason })
    const code = await within(connection.closed, 'the close')
    t.ok(code === ControlCloseCode.badMessage || code === 1009, String(code))
    await (await panel.nextConnection()).welcome()
    await events.next('connected')
  })
}

t.test('a state before the welcome, and a welcome of another protocol, are refused', async (t) => {
  const panel = await panelFor(t)
  const { agent, events } = start(t, panel.url)
  const first = await panel.nextConnection()
  first.send({ type: 'state', revision: 1, allocations: [], relays: [RELAY] })
  t.match(await events.next('disconnected'), { reason: 'bad_message', wasConnected: false })
  t.strictSame(agent.calls.connect, [])
  const second = await panel.nextConnection()
  second.send({ type: 'welcome', protocol: 2, deviceId: 'd', name: 'n', heartbeatMs: 5_000 })
  t.match(await events.next('disconnected'), { reason: 'bad_message', detail: /protocol 2,.*update sallyport/ })
})

t.test('an unknown type is ignored', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'news', text: 'hello' })
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [] })
  t.equal((await events.next('state')).revision, 1)
})

t.test('the reason a panel gives before a close is passed on', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  connection.send({ type: 'error', error: 'too_many_agents', detail: 'come later' })
  connection.ws.close(1013)
  t.match(await events.next('disconnected'), { reason: 'too_many_agents', detail: 'come later' })
})

t.test('stop: closes in order, also while dialling, waiting, and from inside a handler', async (t) => {
  const panel = await panelFor(t)
  const { channel, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  await events.next('connected')
  await channel.stop()
  t.equal(await within(connection.closed, 'the close'), 1000)
  t.equal(channel.connected, false)
  await channel.stop()
  channel.start()
  await channel.stop()
  t.equal(events.seen.filter(({ event }) => event === 'disconnected').length, 0, 'our own stop is no loss')

  channel.on('disconnected', () => void channel.stop())
  channel.start()
  const last = await panel.nextConnection()
  await last.welcome()
  await events.next('connected')
  last.ws.terminate()
  await events.next('disconnected')
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.equal(panel.sockets.size, 0, 'no try after it')
})

t.test('a panel that does not close in answer cannot hold stop up', async (t) => {
  const panel = await panelFor(t)
  const { channel, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  await events.next('connected')
  connection.ws.pause()
  await within(channel.stop(), 'stop', 5_000)
})

t.test('a panel URL that is none is misuse', (t) => {
  const agent = fakeAgent()
  for (const panel of ['nonsense', 'ftp://x', 'http://user:secret@host/', 'http://host/?a=b']) {
    t.throws(() => createControlChannel({ panel, token: () => TOKEN, agent }), { code: 'RELAY_ERR_INVALID_OPTION' })
  }
  try {
    createControlChannel({ panel: 'http://user:secret@host/', token: () => TOKEN, agent })
  } catch (error) {
    t.notMatch(String(error), /secret/)
  }
  t.end()
})

t.test('a path prefix of the panel is kept', async (t) => {
  const panel = await panelFor(t)
  const { events } = start(t, `${panel.url}/hosting`)
  await (await panel.nextConnection()).welcome()
  await events.next('connected')
})
