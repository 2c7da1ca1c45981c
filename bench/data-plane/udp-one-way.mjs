import { udpPeers } from '../systems/systems.mjs'
import { atLeast, medians, pairedRatio } from './compare.mjs'
import { highestRate, shortNotes } from './highest-rate.mjs'
import { interleaved, lineUp } from './line-up.mjs'
import { withUdpPlayers } from './udp-echo.mjs'

const BYTES = 1_200
const PLAYERS = 20
/** What arrives later than this after the last datagram was sent is lost. */
const STRAGGLE_MS = 100
/** For what is late to arrive, so that the next probe does not count it. */
const DRAIN_MS = 200

export const udpOneWay = {
  about: 'UDP of 1,200 B one way, each direction: highest rate below 0.1 % loss',
  limitSeconds: 240,
  async run(context) {
    const { quick, skip } = context
    const lined = await lineUp(context, ['direct', 'tls', 'nginx', ...udpPeers], { protocol: 'udp' })
    const { service } = lined
    const players = await withUdpPlayers(lined.players, PLAYERS, skip)
    const ms = quick ? 300 : 500
    const up = async ({ load }, rate) => {
      await pause(DRAIN_MS)
      await service.ask('swallowed')
      const { sent, seconds } = await load.ask('udpSend', { rate, ms, bytes: BYTES })
      await pause(STRAGGLE_MS)
      return outcome(sent, seconds, await service.ask('swallowed'))
    }
    const down = async ({ load }, rate) => {
      await pause(DRAIN_MS)
      await load.ask('udpBlasted')
      const { sent, seconds } = await service.ask('blast', { rate, ms, bytes: BYTES })
      await pause(STRAGGLE_MS)
      return outcome(sent, seconds, await load.ask('udpBlasted'))
    }
    const rows = []
    for (const [direction, probe] of Object.entries({ 'from the players': up, 'to the players': down })) {
      const limited = new Set()
      const before = {}
      const rates = await interleaved(players, quick ? 1 : 3, async (player) => {
        // The service blasts at those who said hello last.
        await service.ask('forget')
        await player.load.ask('udpGreetAgain')
        const { name } = player
        const search = before[name] ? { from: before[name] * 0.85, step: 1.12 } : { from: 10_000, step: 1.7 }
        const { rate, short } = await highestRate((rate) => probe(player, rate), search)
        if (short) limited.add(name)
        before[name] = Math.max(rate, 1_000)
        return rate
      })
      rows.push({
        title: `UDP one way, 1,200 B, ${direction}, below 0.1 % loss`,
        unit: 'per second',
        better: 'higher',
        values: medians(rates),
        goals: [atLeast(pairedRatio(rates, 'tls', 'nginx'), 1, "encrypted ≥ nginx's in the clear")],
        notes: shortNotes(limited),
      })
    }
    return rows
  },
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function outcome(sent, seconds, arrived) {
  return { rate: sent / seconds, loss: Math.max(0, sent - arrived) / sent }
}
