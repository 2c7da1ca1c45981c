import { peers } from '../systems/systems.mjs'
import { atLeast, atMost, medians, pairedRatio } from './compare.mjs'
import { interleaved, lineUp } from './line-up.mjs'

export const connect = {
  about: 'connect, echo, close, 64 in parallel',
  async run(context) {
    const { quick } = context
    const { players } = await lineUp(context, ['direct', 'plain', 'tls', 'nginx', ...peers])
    const sample = ({ load, host, tcp }) => load.ask('connectEchoClose', { host, port: tcp, ms: quick ? 300 : 1_500 })
    await interleaved(players, 1, sample)
    const taken = await interleaved(players, quick ? 3 : 5, sample)
    const only = (which) =>
      Object.fromEntries(Object.entries(taken).map(([name, values]) => [name, values.map((value) => value[which])]))
    const [perSecond, p99] = [only('perSecond'), only('p99')]
    const failed = Object.entries(taken)
      .map(([name, values]) => [name, values.reduce((sum, value) => sum + value.failed, 0)])
      .filter(([, count]) => count > 0)
    const notes = failed.map(([name, count]) => `${count} connections through ${name} failed`)
    return [
      {
        title: 'connect, echo, close, 64 in parallel',
        unit: 'per second',
        better: 'higher',
        values: medians(perSecond),
        goals: [
          atLeast(pairedRatio(perSecond, 'plain', 'nginx'), 1, "plain ≥ nginx's"),
          atLeast(pairedRatio(perSecond, 'tls', 'nginx'), 1, "TLS ≥ nginx's"),
        ],
        notes,
      },
      {
        title: 'the same, from connect to echo, p99',
        unit: 'ms',
        better: 'lower',
        values: medians(p99),
        goals: [
          atMost(pairedRatio(p99, 'plain', 'nginx'), 1, "plain ≤ nginx's"),
          atMost(pairedRatio(p99, 'tls', 'nginx'), 1, "TLS ≤ nginx's"),
        ],
      },
    ]
  },
}
