import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createControlChannel } from '../../dist/control/control-channel.js'
import { createAgent, createRelay } from '../../dist/index.js'
import { createFakePanel, type FakeConnection } from '../fake-panel.js'
import { freePort } from '../free-port.js'
import { addressOf, until, within } from '../support.js'

const DEVICE = 'd1'

/** A relay, an agent steered by a fake panel, an echo service behind it, and one tunnel through all of them. */
async function tunnelled(t: Test) {
  const sockets = new Set<Socket>()
  const echo = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const localPort = (echo.address() as { port: number }).port
  const relay = createRelay({ id: 'eu1', dataPort: 0 })
  await relay.start()
  const port = await freePort()
  await relay.apply({
    revision: 1,
    allocations: [{ id: 1, deviceId: DEVICE, protocol: 'tcp', port, target: { host: '127.0.0.1', port: localPort } }],
  })
  const panel = await createFakePanel()
  const agent = createAgent()
  const timings = { quickMinMs: 5, quickMaxMs: 10, slowStartMs: 20, maxMs: 50 }
  const channel = createControlChannel({ panel: panel.url, token: () => 'token-123', agent, timings })
  t.teardown(async () => {
    await channel.stop()
    await agent.stop()
    await panel.close()
    await relay.stop({ graceMs: 0 })
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => echo.close(resolve))
  })
  channel.start()
  const connection = await panel.nextConnection()
  await connection.welcome()
  const sendState = (to: FakeConnection, revision: number): void =>
    to.send({
      type: 'state',
      revision,
      allocations: [],
      relays: [addressOf(relay, DEVICE)],
    })
  sendState(connection, 1)
  await until(() => agent.links()[0]?.connected === true, 'the link')
  return { panel, relay, agent, channel, connection, port, sendState }
}

function join(t: Test, port: number): { socket: Socket; echo(text: string): Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  return {
    socket,
    echo(text) {
      const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
      socket.write(text)
      return within(answer, 'the echo')
    },
  }
}

t.test('a state from the panel brings players through, and its going is not felt', async (t) => {
  const { panel, relay, agent, channel, connection, port, sendState } = await tunnelled(t)
  const player = join(t, port)
  t.equal(await player.echo('before'), 'before')
  const status = await connection.next('status')
  t.match(status, { revision: 1, relays: [{ id: 'eu1' }] })
  connection.ws.terminate()
  await until(() => !channel.connected, 'the loss of the panel')
  t.equal(await player.echo('without a panel'), 'without a panel')
  t.equal(await join(t, port).echo('a new player without a panel'), 'a new player without a panel')
  const next = await panel.nextConnection()
  await next.welcome()
  sendState(next, 1)
  await next.next('status')
  t.equal(await player.echo('after'), 'after')
  t.equal(relay.devices().length, 1)
  t.equal(agent.links().length, 1)
})

t.test('a relay that takes no ticket any more: a fresh one is fetched over the channel', async (t) => {
  const { relay, agent, connection, port } = await tunnelled(t)
  const player = join(t, port)
  await player.echo('hello')
  const cut = new Promise<void>((resolve) => player.socket.once('close', () => resolve()))
  relay.disconnectDevice(DEVICE)
  await within(cut, 'the cut')
  t.strictSame(await connection.next('ticket'), { type: 'ticket', relayId: 'eu1' })
  connection.send({ type: 'ticket', relayId: 'eu1', ticket: relay.issueTicket(DEVICE) })
  await until(() => agent.links()[0]?.connected === true, 'the link again')
  t.equal(await join(t, port).echo('back'), 'back')
})

t.test('a relay that the panel takes away is left', async (t) => {
  const { relay, agent, connection } = await tunnelled(t)
  connection.send({ type: 'state', revision: 2, allocations: [], relays: [] })
  await until(() => relay.devices().length === 0, 'the end of the link')
  t.equal(agent.links().length, 0)
})
