import { udpPeers } from '../systems/systems.mjs'
import { atLeast, atMost, medians, pairedRatio } from './compare.mjs'
import { highestRate, shortNotes } from './highest-rate.mjs'
import { interleaved, lineUp } from './line-up.mjs'

const BYTES = 100
const PLAYERS = 200

export const udpEcho = {
  about: 'UDP echo of 100 B, 200 players: highest rate below 0.1 % loss, and p99 at half of it',
  limitSeconds: 240,
  async run(context) {
    const { quick, skip } = context
    const lined = await lineUp(context, ['direct', 'tls', 'nginx', ...udpPeers], { protocol: 'udp' })
    const players = await withUdpPlayers(lined.players, quick ? 50 : PLAYERS, skip)
    const limited = new Set()
    const before = {}
    const rates = await interleaved(players, quick ? 1 : 3, async ({ name, load }) => {
      const probe = (rate) => load.ask('udpEcho', { rate, ms: quick ? 300 : 700, bytes: BYTES })
      const search = before[name]
        ? { from: before[name] * 0.85, step: 1.12 }
        : { from: quick ? 8_000 : 4_000, step: 1.5 }
      const { rate, short } = await highestRate(probe, search)
      if (short) limited.add(name)
      before[name] = Math.max(rate, 1_000)
      return rate
    })
    const highest = medians(rates)
    const p99 = await interleaved(players, quick ? 1 : 3, async ({ name, load }) => {
      const result = await load.ask('udpEcho', { rate: highest[name] / 2, ms: quick ? 500 : 1_200, bytes: BYTES })
      return result.p99
    })
    return [
      {
        title: `UDP echo, 100 B, ${quick ? 50 : PLAYERS} players, below 0.1 % loss`,
        unit: 'per second',
        better: 'higher',
        values: highest,
        goals: [
          atLeast(pairedRatio(rates, 'tls', 'nginx'), 1, "encrypted ≥ nginx's in the clear"),
          atLeast(pairedRatio(rates, 'tls', 'frp'), 2, "encrypted ≥ 2 × frp's"),
          atLeast(pairedRatio(rates, 'tls', 'rathole'), 2, "encrypted ≥ 2 × rathole's"),
        ],
        notes: ['a datagram that takes longer than 100 ms counts as lost', ...shortNotes(limited)],
      },
      {
        title: 'the same at half of its highest rate, p99',
        unit: 'ms',
        better: 'lower',
        values: medians(p99),
        goals: [atMost(medians(p99).tls, 3, 'encrypted ≤ 3 ms')],
      },
    ]
  },
}

/** Those of the systems whose players were all answered. */
export async function withUdpPlayers(players, count, skip, more = {}) {
  const able = []
  for (const player of players) {
    try {
      await player.load.ask('udpPlayers', { host: player.host, port: player.udp, count, ...more })
      able.push(player)
    } catch (error) {
      if (player.name === 'tls' || player.name === 'direct') throw error
      skip(player.name, error.message)
    }
  }
  return able
}
