import t from 'tap'
import { createAgent, createRelay } from '../dist/index.js'
import { dial, startAgent, startRelay } from './support.js'

t.test('stop while starting stops, and twice is once; then it starts again', async (t) => {
  const relay = createRelay({ dataPort: 0 })
  const starting = relay.start()
  await Promise.all([starting, relay.stop(), relay.stop()])
  t.equal(relay.status().running, false)
  await t.rejects(dial(t, relay.dataPort), { code: 'ECONNREFUSED' })
  await relay.stop()
  await relay.start()
  t.teardown(() => relay.stop())
  await startAgent(t, relay)
})

t.test('misuse is named', async (t) => {
  const relay = createRelay({ dataPort: 0 })
  t.throws(() => relay.issueTicket('d'), { code: 'RELAY_ERR_NOT_RUNNING' })
  await t.rejects(relay.apply({ revision: 1, allocations: [] }), { code: 'RELAY_ERR_NOT_RUNNING' })
  const running = await startRelay(t)
  await t.rejects(running.start(), { code: 'RELAY_ERR_ALREADY_RUNNING' })
  t.throws(() => running.issueTicket(''), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => running.issueTicket('d', { expiresInMs: -1 }), { code: 'RELAY_ERR_INVALID_OPTION' })
  await t.rejects(createRelay({ dataPort: running.dataPort }).start(), { code: 'RELAY_ERR_DATA_PORT' })
  t.throws(() => createRelay({ ticketKey: new Uint8Array(31) }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => createRelay({ limits: { heartbeatMs: 0 } }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => createRelay({ limits: { heartbeat: 1 } as object }), { code: 'RELAY_ERR_INVALID_OPTION' })
  const agent = createAgent()
  t.throws(() => agent.connect({ id: '', host: 'h', port: 1, ticket: 't' }), { code: 'RELAY_ERR_INVALID_OPTION' })
  await agent.stop()
})
