import { createTestLogger } from '@sallyport/core/testing'
import type { EndedConnection, PlayerKnock, RelayEvents } from '@sallyport/relay'
import t from 'tap'
import { createConnectionGate } from '../dist/hooks/connection-gate.js'
import type { ConnectionAttempt, ConnectionEnd, TunnelHooks } from '../dist/index.js'
import { until } from './support/until.js'

const player: PlayerKnock = { allocationId: 7, protocol: 'tcp', remoteAddress: '192.0.2.9', remotePort: 4_000 }
const facts = { deviceId: 'device', ownerId: 'bob', organisationId: null, protocol: 'tcp', port: 25_565 } as const
const describe = (relayId: string, allocationId: number) =>
  relayId === 'relay' && allocationId === 7 ? facts : undefined
const ended: EndedConnection = { ...player, bytesIn: 1, bytesOut: 2, durationMs: 3, reason: 'end' }

t.test('asks the host, who is told whose player it is', async (t) => {
  const asked: ConnectionAttempt[] = []
  const hooks: TunnelHooks = {
    beforeConnection: {
      decide(attempt) {
        asked.push(attempt)
        return { allow: attempt.remoteAddress !== '192.0.2.66' }
      },
    },
  }
  const gate = createConnectionGate({ hooks, logger: createTestLogger().logger, describe })
  t.same(gate.admission, { timeoutMs: 1_000, otherwise: 'allow' })
  t.notOk(gate.listens)
  t.equal(await gate.decide('relay', player), true)
  t.equal(await gate.decide('relay', { ...player, remoteAddress: '192.0.2.66' }), false)
  t.same(asked[0], { relayId: 'relay', ...player, ...facts })
  t.equal(await gate.decide('elsewhere', player), true, 'nothing is known of it')
  t.equal(asked.length, 2)
  await gate.stop()
})

t.test('without an answer in time the default holds', async (t) => {
  const decide = () => new Promise<never>(() => undefined)
  for (const otherwise of ['allow', 'deny'] as const) {
    const log = createTestLogger()
    const hooks: TunnelHooks = { beforeConnection: { decide, timeoutMs: 10, otherwise } }
    const gate = createConnectionGate({ hooks, logger: log.logger, describe })
    const answers = await Promise.all(Array.from({ length: 3_000 }, () => gate.decide('relay', player)))
    t.same([...new Set(answers)], [otherwise === 'allow'])
    t.equal(log.lines.length, 1, 'said once')
    await gate.stop()
  }
  const gate = createConnectionGate({ hooks: undefined, logger: createTestLogger().logger, describe })
  t.equal(gate.admission, undefined)
})

t.test('ends are gathered, and a host that fails or hangs loses no more than it must', async (t) => {
  const batches: (readonly ConnectionEnd[])[] = []
  const log = createTestLogger()
  const hooks: TunnelHooks = {
    afterConnection(ends) {
      batches.push(ends)
      if (batches.length === 1) throw new Error('broken')
    },
  }
  const gate = createConnectionGate({ hooks, logger: log.logger, describe })
  gate.ended('relay', [ended, ended])
  gate.ended('relay', [ended])
  gate.ended('elsewhere', [ended])
  t.same(batches, [])
  await until('they are told', () => batches.length === 1)
  t.same(batches[0], Array(3).fill({ relayId: 'relay', ...ended, ...facts }))
  gate.ended('relay', Array(12_000).fill(ended))
  await gate.stop()
  t.equal(batches.slice(1).flat().length, 10_000)
  t.ok(batches.every(({ length }) => length <= 1_000))
  t.equal(log.lines.filter(({ msg }) => msg?.includes('lost')).length, 1, 'said once')
})

t.test('who is cut because the allocation is removed is told of as well', async (t) => {
  let handler: (event: RelayEvents['connection']) => void = () => undefined
  const relay = {
    id: 'relay',
    on(_: string, given: typeof handler) {
      handler = given
      return () => {
        handler = () => undefined
      }
    },
  }
  let known = true
  const told: ConnectionEnd[] = []
  const gate = createConnectionGate({
    hooks: undefined,
    logger: createTestLogger().logger,
    describe: (...args) => (known ? describe(...args) : undefined),
    tell: async (ends) => void told.push(...ends),
  })
  const off = gate.watch(relay as never)
  const event = { ...player, bytesIn: 0, bytesOut: 0, durationMs: 0 }
  handler({ ...event, phase: 'open' })
  known = false
  handler({ ...event, phase: 'close', bytesIn: 9, reason: 'cut' })
  handler({ ...event, phase: 'refused', reason: 'denied' })
  off()
  handler({ ...event, phase: 'close', reason: 'end' })
  await gate.stop()
  t.match(told, [
    { deviceId: 'device', bytesIn: 9, reason: 'cut' },
    { deviceId: 'device', reason: 'denied' },
  ])
})
