// An agent that says what it must not costs its own channel: closed with a code, logged once, nobody else feels it.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { until, within } from '../../support/deadline.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { type Channel, hello, openChannel } from '../../support/tunnel/channel.js'
import { newAllocation, newDevice, onlineDevices, type TestDevice } from '../../support/tunnel/devices.js'
import { somePorts } from '../../support/tunnel/fleet.js'

const [badMessage, tooBig, policy] = [4400, 1009, 1008]
const { from, to } = somePorts(300)
let panel: SignInPanel
let bystander: Channel
let bystanderDevice: TestDevice
let foreignAllocation: number

t.before(async () => {
  panel = await startSignInPanel(t, { RELAY_EMBEDDED: 'true', RELAY_PORT_RANGE: `${from}-${to}` })
  bystanderDevice = await newDevice(panel)
  foreignAllocation = (await newAllocation(panel, bystanderDevice)).id
  bystander = await openChannel(t, panel.url, bystanderDevice.token)
})

/** Sends it, expects the close, and that the panel said so once and nobody else was harmed. */
async function costsOnlyItself(
  t: Test,
  name: string,
  attack: (channel: Channel) => void | Promise<void>,
  { greet = true, codes = [badMessage] }: { greet?: boolean; codes?: readonly number[] } = {},
): Promise<void> {
  const device = await newDevice(panel)
  const channel = await openChannel(t, panel.url, device.token, greet)
  await attack(channel)
  const code = await within(name, channel.closed, 15_000)
  t.ok(codes.includes(code), `${name}: ${code}`)
  if (code === badMessage) {
    t.match(channel.messages.at(-1), { type: 'error', error: /^[a-z_]+$/, detail: String }, `${name}: says why`)
  }
  await until(`${name}: offline`, async () => !(await onlineDevices(panel)).has(device.id))
  const lines = panel.program.stderr.split('\n').filter((line) => line.includes(device.id))
  t.ok(lines.length <= 1, `${name}: logged at most once: ${lines.length}`)
  t.equal(bystander.socket.readyState, bystander.socket.OPEN, `${name}: the bystander’s channel stands`)
  const again = await openChannel(t, panel.url, device.token)
  t.ok(again.state(), `${name}: the device itself may come back`)
  again.socket.terminate()
}

const status = (fields: object) => ({ type: 'status', revision: 1, relays: [], ...fields })

t.test('frames that are not understood', async (t) => {
  const frames: Record<string, string | Buffer> = {
    'not JSON': 'what?',
    nothing: '',
    'half of it': '{"type":"status"',
    'a number': '7',
    null: 'null',
    'a list': '[]',
    'no type': '{}',
    'an unknown type': '{"type":"exec","command":"reboot"}',
    'a type that is no word': '{"type":{"$ne":null}}',
    'a key of the prototype': '{"type":"__proto__"}',
    'deep nesting': `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    'wrong fields': JSON.stringify(status({ revision: -1 })),
    'an endless list': JSON.stringify(status({ relays: Array(2_000).fill({ id: 'x', connected: true }) })),
    'a long word': JSON.stringify({ type: 'ticket', relayId: 'x'.repeat(10_000) }),
    'NUL in a word': JSON.stringify({ type: 'ticket', relayId: 'a\u0000b' }),
    binary: randomBytes(100),
  }
  for (const [name, frame] of Object.entries(frames)) {
    await costsOnlyItself(t, name, ({ socket }) => socket.send(frame))
  }
  const sent = Buffer.from([0xff, 0xfe, 0xfd])
  await costsOnlyItself(t, 'not UTF-8', ({ socket }) => socket.send(sent, { binary: false }), {
    codes: [badMessage, 1007],
  })
})

t.test('what is too large or too much', async (t) => {
  const large = JSON.stringify({ type: 'ticket', relayId: 'x'.repeat(10 * 1024 * 1024) })
  await costsOnlyItself(t, '10 MB', ({ socket }) => socket.send(large), { codes: [tooBig, badMessage, 1006] })
  await costsOnlyItself(
    t,
    'a flood',
    ({ socket }) => {
      for (let sent = 0; sent < 20_000; sent += 1) socket.send(JSON.stringify(status({})))
    },
    { codes: [badMessage, policy, 1006] },
  )
})

t.test('what is of the wrong state', async (t) => {
  await costsOnlyItself(t, 'status before hello', (channel) => channel.send(status({})), { greet: false })
  await costsOnlyItself(t, 'a ticket before hello', (channel) => channel.send({ type: 'ticket', relayId: 'x' }), {
    greet: false,
  })
  await costsOnlyItself(t, 'hello twice', (channel) => channel.send(hello))
  await costsOnlyItself(t, 'another protocol', (channel) => channel.send({ ...hello, protocol: 99 }), { greet: false })
  await costsOnlyItself(t, 'no hello at all', () => undefined, { greet: false })
  const relay = {
    publicHost: 'evil.example',
    dataPort: 1,
    ticketKey: randomBytes(32).toString('base64url'),
    epoch: 'e',
    revision: 0,
    time: Date.now(),
  }
  await costsOnlyItself(t, 'a client device as relay', (channel) => channel.send({ ...hello, relay }), { greet: false })
  const totals = [[foreignAllocation, 1, 1, 1, 1]]
  await costsOnlyItself(t, 'a relay’s counts', (channel) => channel.send({ type: 'relay_traffic', epoch: 'e', totals }))
  await costsOnlyItself(t, 'a relay’s status', (channel) =>
    channel.send({
      type: 'relay_status',
      revision: 1,
      allocations: [{ id: foreignAllocation, status: 'failed' }],
      devices: 0,
      connections: 0,
      draining: false,
      time: 1,
    }),
  )
})

t.test('what is another’s', async (t) => {
  const refused = [{ allocationId: foreignAllocation, error: 'target_forbidden' }]
  await costsOnlyItself(t, 'another’s allocation', (channel) => channel.send(status({ refused })))
  const device = await newDevice(panel)
  const channel = await openChannel(t, panel.url, device.token)
  const [relay] = bystander.state()?.relays ?? []
  t.ok(relay, 'the bystander has a relay')
  channel.send({ type: 'ticket', relayId: relay?.id })
  // The answer to what is asked afterwards shows that none came to this.
  await newAllocation(panel, device)
  await channel.message('state', 1)
  t.notOk(
    channel.messages.some(({ type }) => type === 'ticket'),
    'no ticket for a relay that serves nothing of one’s own',
  )
  const { body } = await panel.ok('GET', '/api/tunnel/allocations', { bearer: bystanderDevice.token })
  t.match(body.allocations, [{ id: foreignAllocation, status: 'open' }], 'nothing was changed')
  t.notOk(body.allocations[0].targetError)
})
