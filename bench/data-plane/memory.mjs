import { peers } from '../systems/systems.mjs'
import { atMost } from './compare.mjs'
import { lineUp } from './line-up.mjs'

/** Who has come and gone, and is there, before the first figure is taken: what a process needs to serve anybody is not theirs. */
const CAME_AND_WENT = 12_000
const WARM_UP = 500
const PLAYERS = 2_000
const SETTLE_MS = 1_000
const KILOBYTE = 1_000

export const memory = {
  about: 'memory for each idle TCP player, relay and agent each',
  async run(context) {
    const { quick, skip } = context
    const more = quick ? 500 : PLAYERS
    const { players } = await lineUp(context, ['plain', 'tls', 'nginx', ...peers])
    const each = { relay: {}, agent: {} }
    for (const { name, load, host, tcp, resident } of players) {
      const open = async (count) => {
        await load.ask('idlePlayers', { host, port: tcp, count })
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
        return resident()
      }
      try {
        await load.ask('connectEchoClose', { host, port: tcp, count: quick ? WARM_UP : CAME_AND_WENT })
        const before = await open(WARM_UP)
        const after = await open(more)
        const left = await load.ask('idlePlayersLeft')
        if (left < WARM_UP + more) throw new Error(`only ${left} of ${WARM_UP + more} idle players are still connected`)
        for (const side of ['relay', 'agent']) each[side][name] = (after[side] - before[side]) / more / KILOBYTE
      } catch (error) {
        if (['plain', 'tls'].includes(name)) throw error
        skip(name, error.message)
      }
    }
    return ['relay', 'agent'].map((side) => ({
      title: `memory for each idle player, ${side}`,
      unit: 'kB',
      better: 'lower',
      values: each[side],
      goals: [atMost(each[side].plain, 8, 'plain ≤ 8 kB'), atMost(each[side].tls, 8, 'TLS ≤ 8 kB')],
      notes: [
        `resident, after garbage collection, from ${WARM_UP} to ${WARM_UP + more} players who had one answer each, after ${CAME_AND_WENT.toLocaleString('en')} had come and gone`,
      ],
    }))
  },
}
