import { createServer } from 'node:net'
import t from 'tap'
import { ControlCloseCode, MAX_PANEL_MESSAGE_BYTES } from '../../dist/control/control.js'
import { within } from '../support.js'
import { panelFor, RELAY, start } from './control-channel-scene.js'

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
