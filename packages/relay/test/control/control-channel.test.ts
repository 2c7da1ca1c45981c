import t from 'tap'
import { ControlCloseCode } from '../../dist/control/control.js'
import { createControlChannel } from '../../dist/control/control-channel.js'
import { until, within } from '../support.js'
import { fakeAgent, panelFor, RELAY, start, TOKEN, triesMeanwhile } from './control-channel-scene.js'

const TUNNEL = {
  protocol: 'tcp',
  host: 'play.example.com',
  port: 20_001,
  localHost: '127.0.0.1',
  localPort: 25_565,
  status: 'open',
  relayId: 'eu1',
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
    const heard: unknown[] = []
    second.ws.on('message', (data) => heard.push(JSON.parse(String(data)).type))
    await second.welcome()
    await events.next('connected')
    agent.emit('link', { relayId: 'eu1', connected: true })
    agent.emit('ticketNeeded', { relayId: 'eu1' })
    const before = agent.reports()
    await until(() => agent.reports() >= before + 3, 'reports that have nobody to go to')
    second.send({ type: 'state', revision: 2, allocations: [], relays: [RELAY] })
    t.match(await second.next('status'), { revision: 2 })
    t.strictSame(heard.slice(0, 2), ['hello', 'status'])
  },
)

t.test('a ticket is asked for, handed over, and asked for more slowly when refused again', async (t) => {
  const panel = await panelFor(t)
  const { agent, events } = start(t, panel.url)
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.send({ type: 'state', revision: 1, allocations: [], relays: [RELAY] })
  await events.next('state')
  const firstNeeded = performance.now()
  agent.emit('ticketNeeded', { relayId: 'unknown' })
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  t.strictSame(await connection.next('ticket'), { type: 'ticket', relayId: 'eu1' })
  connection.send({ type: 'ticket', relayId: 'stranger', ticket: 'x' })
  connection.send({ type: 'ticket', relayId: 'eu1', ticket: 'ticket-2' })
  await until(() => agent.calls.connect.length === 2, 'the new ticket')
  t.strictSame(agent.calls.connect[1], { ...RELAY, ticket: 'ticket-2' })
  agent.emit('ticketNeeded', { relayId: 'eu1' })
  await connection.next('ticket')
  t.ok(performance.now() - firstNeeded > 500, 'the second request in a row waits')
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
  t.equal(events.seen.includes('disconnected'), false, 'our own stop is no loss')

  channel.on('disconnected', () => void channel.stop())
  channel.start()
  const last = await panel.nextConnection()
  await last.welcome()
  await events.next('connected')
  last.ws.terminate()
  await events.next('disconnected')
  t.equal(await triesMeanwhile(t, panel), 0, 'no try after it')
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
