import { atMost } from './compare.mjs'
import { lineUp } from './line-up.mjs'

const STEPS = 20
/** Until then a process is still growing to its size at this load. */
const SETTLED_STEP = 4
/** More growth than this from there on is a leak; a process of this size moves by some of it with nothing to do. */
const FLAT_MEGABYTES = 8
const LIMIT_SECONDS = 300
const MEGABYTE = 1_000_000

export const churn = {
  about: 'resident memory over 1,000,000 connections one after another, 64 at a time',
  limitSeconds: LIMIT_SECONDS + 60,
  async run(context) {
    const { connections } = context
    const { players } = await lineUp(context, ['tls'])
    const [{ load, host, tcp, resident }] = players
    const start = performance.now()
    const series = []
    let done = 0
    let failed = 0
    for (let step = 0; step < STEPS; step++) {
      if ((performance.now() - start) / 1_000 > LIMIT_SECONDS) break
      const result = await load.ask('connectEchoClose', { host, port: tcp, count: Math.ceil(connections / STEPS) })
      done += result.done
      failed += result.failed
      series.push({ done, ...(await resident()) })
    }
    const settled = series[Math.min(SETTLED_STEP, series.length) - 1]
    const growth = (side) => (series.at(-1)[side] - settled[side]) / MEGABYTE
    const say = (side) => series.map((one) => (one[side] / MEGABYTE).toFixed(0)).join(' ')
    const seconds = ((performance.now() - start) / 1_000).toFixed(0)
    return ['relay', 'agent'].map((side) => ({
      title: `resident memory over ${done.toLocaleString('en')} connections, ${side}: growth`,
      unit: 'MB',
      better: 'lower',
      values: { tls: growth(side) },
      goals: [atMost(growth(side), FLAT_MEGABYTES, `flat: under ${FLAT_MEGABYTES} MB`)],
      notes: [
        `${done.toLocaleString('en')} connections in ${seconds} s, ${failed} failed; growth from ${settled.done.toLocaleString('en')} on, after garbage collection`,
        `${side}, MB resident at each ${Math.round(done / series.length).toLocaleString('en')}: ${say(side)}`,
      ],
      series,
    }))
  },
}
