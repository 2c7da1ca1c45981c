// What falls silent is found within 10 seconds, whatever the other side says about heartbeats.
import t from 'tap'
import { createControlChannel } from '../../dist/control/control-channel.js'
import { createAgent, createRelay } from '../../dist/index.js'
import { startLinkProxy } from '../programs/link-proxy.js'
import { until } from '../support.js'
import { startPanel } from './panel.js'

const FOUND_WITHIN_MS = 10_000

// They wait more than they work.
t.jobs = 3

t.test('a panel behind a path that swallows', async (t) => {
  // As long as a panel may say; the agent asks more often by itself.
  const panel = await startPanel(t, { heartbeatMs: 60_000 })
  const path = await startLinkProxy(t, panel.port)
  const agent = createAgent()
  t.teardown(() => agent.stop())
  const channel = createControlChannel({
    panel: `http://127.0.0.1:${path.port}`,
    token: () => 'device-token-0123456789',
    agent,
  })
  t.teardown(() => channel.stop())
  channel.start()
  await until(() => channel.connected, 'the panel')
  path.swallow()
  t.comment(`found after ${await until(() => !channel.connected, 'it is found', FOUND_WITHIN_MS)} ms`)
  path.restore()
  await until(() => channel.connected, 'the panel again')
})

for (const heartbeatMs of [2_999, 3_000]) {
  t.test(`a relay behind one, with a heartbeat of ${heartbeatMs} ms`, async (t) => {
    const relay = createRelay({ dataPort: 0, limits: { heartbeatMs } })
    await relay.start()
    t.teardown(() => relay.stop())
    const path = await startLinkProxy(t, relay.dataPort)
    const agent = createAgent()
    t.teardown(() => agent.stop())
    const { id, fingerprint, encryption } = relay
    const ticket = relay.issueTicket('device-1')
    agent.connect({ id, host: '127.0.0.1', port: path.port, encryption, ticket, ...(fingerprint && { fingerprint }) })
    await until(() => agent.links()[0]?.connected && relay.devices().length > 0, 'the link')
    path.swallow()
    const [atAgent, atRelay] = await Promise.all([
      until(() => !agent.links()[0]?.connected, 'the agent finds it', FOUND_WITHIN_MS),
      until(() => relay.devices().length === 0, 'the relay finds it', FOUND_WITHIN_MS),
    ])
    t.comment(`found after ${atAgent} ms at the agent, ${atRelay} ms at the relay`)
    path.restore()
    await until(() => agent.links()[0]?.connected, 'the link again')
  })
}
