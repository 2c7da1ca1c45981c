import t from 'tap'
import { MAX_AGENT_MESSAGE_BYTES } from '../../dist/control/control.js'
import { parseRelayMessage } from '../../dist/control/control-parser.js'
import type { AdmissionRequestMessage, RelayConnectionsMessage } from '../../dist/control/control-relay-messages.js'
import { createAdmissionQuestions } from '../../dist/control/relay-channel-admission.js'
import { createEndedConnections } from '../../dist/control/relay-channel-connections.js'
import { createTrafficReporter } from '../../dist/control/relay-channel-traffic.js'
import type { Admission, AllocationTraffic, RelayEvents } from '../../dist/relay-types.js'
import { until } from '../support.js'

const player = { allocationId: 1, protocol: 'tcp', remoteAddress: '203.0.113.9', remotePort: 4_000 } as const

function closed(bytesIn: number): RelayEvents['connection'] {
  return { ...player, phase: 'close', bytesIn, bytesOut: 0, durationMs: 1.6, reason: 'end' }
}

t.test(
  'ended connections: kept while nobody takes them, the oldest dropped and counted, told in messages that fit',
  (t) => {
    const taken: RelayConnectionsMessage[] = []
    let away = true
    const ended = createEndedConnections((message) => {
      if (away || taken.length === 2) return false
      return taken.push(message) > 0
    })
    ended.add({ ...closed(0), phase: 'open' })
    for (let index = 0; index < 10_000; index += 1) ended.add(closed(index))
    ended.report()
    away = false
    ended.report()
    t.equal(taken.length, 2, 'the third was not taken')
    t.equal(taken[0]?.dropped, 10_000 - 8_192)
    t.equal(taken[1]?.dropped, 0)
    const early = taken.splice(0)
    for (let round = 0; round < 30; round += 1) {
      ended.report()
      early.push(...taken.splice(0))
    }
    const all = early.flatMap((message) => message.ended)
    t.strictSame(
      all.map(({ bytesIn }) => bytesIn),
      Array.from({ length: 8_192 }, (_, index) => index + 10_000 - 8_192),
    )
    for (const message of early) {
      const text = JSON.stringify(message)
      t.ok(Buffer.byteLength(text) <= MAX_AGENT_MESSAGE_BYTES && parseRelayMessage(text).ok)
    }
    t.end()
  },
)

t.test('traffic: only what is different, all of it on a new connection, in messages that fit', (t) => {
  const rows: AllocationTraffic[] = Array.from({ length: 5_000 }, (_, index) => {
    return { allocationId: index + 1, bytesIn: index, bytesOut: Number.MAX_SAFE_INTEGER, connections: 1, open: 1 }
  })
  rows.push({ allocationId: 9_999, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 })
  const sent: unknown[] = []
  const reporter = createTrafficReporter({ epoch: 'e', traffic: () => rows.map((row) => ({ ...row })) }, (message) => {
    const text = JSON.stringify(message)
    t.ok(Buffer.byteLength(text) <= MAX_AGENT_MESSAGE_BYTES && parseRelayMessage(text).ok)
    return sent.push(...message.totals) > 0
  })
  reporter.report()
  t.equal(sent.splice(0).length, 5_000, 'one that never had a player is left out')
  t.equal(reporter.players, 5_000)
  reporter.report()
  t.equal(sent.length, 0)
  Object.assign(rows[7] ?? {}, { bytesIn: 99, open: 0 })
  reporter.report()
  t.strictSame(sent.splice(0), [[8, 99, Number.MAX_SAFE_INTEGER, 1, 0]])
  reporter.reset()
  reporter.report()
  t.equal(sent.length, 5_000)
  t.end()
})

t.test('admission questions: bounded, given up in time, at the end of the connection and without one', async (t) => {
  let admission: Admission | undefined
  const sent: AdmissionRequestMessage[] = []
  let away = false
  const questions = createAdmissionQuestions(
    {
      setAdmission(given) {
        admission = given
      },
    },
    (message) => !away && sent.push(message) > 0,
  )
  questions.terms({ timeoutMs: 20, otherwise: 'deny' })
  t.match(admission, { timeoutMs: 20, otherwise: 'deny' })
  const ask = (allocationId = 1) =>
    Promise.resolve(admission?.decide({ ...player, allocationId })).catch(() => 'no answer')
  // The first second is that of the process, which must not end in the middle.
  await until(() => performance.now() > 1_000, 'the first second')
  const answers = Array.from({ length: 1_100 }, () => ask())
  t.equal(sent.length, 1_000, 'no more about one allocation in one second')
  for (let index = 0; index < 6_000; index += 1) answers.push(ask(2 + (index % 6)))
  t.equal(sent.length, 4_000, 'no more in one second')
  t.equal(await answers.at(-1), 'no answer')
  questions.answer({ type: 'admission', id: sent[0]?.id ?? -1, allow: false })
  questions.answer({ type: 'admission', id: sent[0]?.id ?? -1, allow: true })
  questions.answer({ type: 'admission', id: 123_456, allow: true })
  t.equal(await answers[0], false)
  questions.reset()
  t.equal(await answers[1], 'no answer')

  const isAsked = () => {
    const before = sent.length
    void ask()
    return sent.length > before
  }
  await until(isAsked, 'the next second')
  const late = ask()
  const deadline = performance.now() + 5_000
  while ((await Promise.race([late, 'asked'])) === 'asked' && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    questions.sweep()
  }
  t.equal(await late, 'no answer')
  away = true
  t.equal(await ask(), 'no answer')
  questions.terms(undefined)
  t.equal(admission, undefined)
})
