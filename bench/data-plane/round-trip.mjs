import { peers } from '../systems/systems.mjs'
import { medians, pairedDifference } from './compare.mjs'
import { interleaved, lineUp } from './line-up.mjs'

export const roundTrip = {
  about: '64 B round trip over TCP, added to the direct one',
  async run(context) {
    const { quick } = context
    const { players } = await lineUp(context, ['direct', 'plain', 'tls', 'nginx', ...peers])
    const sample = ({ load, host, tcp }) => load.ask('roundTrips', { host, port: tcp, count: quick ? 1_000 : 5_000 })
    await interleaved(players, 1, sample)
    const taken = await interleaved(players, quick ? 3 : 9, sample)
    return ['p50', 'p99'].map((which) => {
      const samples = Object.fromEntries(
        Object.entries(taken).map(([name, values]) => [name, values.map((value) => value[which])]),
      )
      const added = (name) => pairedDifference(samples, name, 'direct')
      const { direct, ...others } = medians(samples)
      const values = Object.fromEntries(Object.keys(others).map((name) => [name, added(name)]))
      // Noise can make an addition negative: then a ratio says nothing, but which is less still does.
      const than = (name, text) => ({
        text,
        figure: values[name] > 0 && values.nginx > 0 ? values[name] / values.nginx : undefined,
        met: values.nginx === undefined ? undefined : values[name] <= values.nginx,
      })
      return {
        title: `64 B round trip added, ${which}`,
        unit: 'µs',
        better: 'lower',
        values: { ...values, direct },
        goals: [than('plain', "plain ≤ nginx's"), than('tls', "TLS ≤ nginx's")],
        notes: ['the direct column is the whole direct round trip, the others are what they add to it'],
      }
    })
  },
}
