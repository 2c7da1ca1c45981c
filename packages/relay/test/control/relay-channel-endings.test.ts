import t from 'tap'
import { ControlCloseCode, MAX_PANEL_MESSAGE_BYTES } from '../../dist/control/control.js'
import { allocation, within } from '../support.js'
import { change, report, scene, state, TIMINGS, welcome } from './relay-channel-scene.js'

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
  t.strictSame(await next('replaced'), { retryInMs: TIMINGS.replacedRetryMs })
  await panel.nextConnection()
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
