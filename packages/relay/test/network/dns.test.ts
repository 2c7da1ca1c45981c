// A name is looked up anew at each try: whoever has moved is found.
import dns from 'node:dns'
import t from 'tap'
import { createControlChannel } from '../../dist/control/control-channel.js'
import { createAgent, createRelay } from '../../dist/index.js'
import { until } from '../support.js'
import { startPanel } from './panel.js'

type Lookup = typeof dns.lookup

/** Names under .test lead to what `addresses` says at that moment. Gives how often each was asked for. */
function namesOf(t: { teardown(handler: () => unknown): void }, addresses: Map<string, string>): Map<string, number> {
  const asked = new Map<string, number>()
  const real = dns.lookup
  t.teardown(() => {
    dns.lookup = real
  })
  dns.lookup = ((name: string, options: dns.LookupOptions, callback: (...answer: unknown[]) => void) => {
    if (!name.endsWith('.test')) return real(name, options, callback as never)
    asked.set(name, (asked.get(name) ?? 0) + 1)
    const address = addresses.get(name)
    setImmediate(() => {
      if (address === undefined) callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }))
      else if (options.all) callback(null, [{ address, family: 4 }])
      else callback(null, address, 4)
    })
  }) as unknown as Lookup
  return asked
}

t.test('a panel and a relay that move', async (t) => {
  const addresses = new Map<string, string>()
  const asked = namesOf(t, addresses)
  const relay = createRelay({ bindHost: '127.0.0.1', dataPort: 0 })
  await relay.start()
  t.teardown(() => relay.stop())
  const panel = await startPanel(t, {
    state: () => {
      const { id, dataPort: port, fingerprint, encryption } = relay
      const ticket = relay.issueTicket('device-1')
      return { allocations: [], relays: [{ id, host: 'relay.test', port, fingerprint, encryption, ticket }] }
    },
  })
  const agent = createAgent({ limits: { retryMinMs: 5, retryMaxMs: 50 } })
  t.teardown(() => agent.stop())
  const channel = createControlChannel({
    panel: `http://panel.test:${panel.port}`,
    token: () => 'device-token-0123456789',
    agent,
    timings: { quickMinMs: 5, quickMaxMs: 10, slowStartMs: 20, maxMs: 50 },
  })
  t.teardown(() => channel.stop())
  const reasons = new Set<string>()
  channel.on('disconnected', ({ reason }) => reasons.add(reason))
  channel.start()

  await until(() => reasons.has('dns'), 'the panel has no address')
  // Nobody listens there.
  addresses.set('panel.test', '127.0.0.9')
  await until(() => reasons.has('unreachable'), 'the panel has moved away')
  addresses.set('panel.test', '127.0.0.1')
  await until(() => channel.connected, 'the panel is found')

  addresses.set('relay.test', '127.0.0.9')
  const count = asked.get('relay.test') ?? 0
  await until(() => (asked.get('relay.test') ?? 0) > count + 1, 'the relay is looked for')
  t.equal(agent.links()[0]?.connected, false)
  addresses.set('relay.test', '127.0.0.1')
  await until(() => agent.links()[0]?.connected, 'the relay is found')
})
