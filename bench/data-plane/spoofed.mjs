import { median } from '../median.mjs'
import { atMost } from './compare.mjs'
import { lineUp } from './line-up.mjs'

const SOURCES_PER_SECOND = 20_000
const PLAYERS = 20
const PER_PLAYER_PER_SECOND = 50
const BYTES = 100
/** Until the process has the size of one that serves players. */
const WARM_UP = { rate: 10_000, ms: 10_000 }
const SETTLE_MS = 2_000
/** In a flood the relay waits for a source's second datagram; games repeat their first. */
const AGAIN_MS = 500
const LIMIT_SECONDS = 150
const MEGABYTE = 1_000_000

export const spoofed = {
  about: '1,000,000 datagrams from as many forged sources: memory, and what present players lose meanwhile',
  limitSeconds: LIMIT_SECONDS + 60,
  async run({ stage, sources, quick, ...context }) {
    const { players } = await lineUp({ ...context, stage }, ['tls'], { protocol: 'udp' })
    const [{ load, host, udp, resident }] = players
    const forger = await stage.start('load')
    await load.ask('udpPlayers', { host, port: udp, count: PLAYERS })
    const echo = (ms) => load.ask('udpEcho', { rate: PLAYERS * PER_PLAYER_PER_SECOND, ms, bytes: BYTES })
    await load.ask('udpEcho', { ...WARM_UP, bytes: BYTES })
    const calm = await echo(2_000)
    const before = await resident()

    const start = performance.now()
    const meanwhile = { sent: 0, lost: 0, p99: [], newcomers: 0, answered: 0 }
    let forged = 0
    const more = () => forged < sources && (performance.now() - start) / 1_000 < LIMIT_SECONDS
    const forge = async () => {
      while (more()) {
        const ms = Math.min(1_000, Math.max(1, ((sources - forged) / SOURCES_PER_SECOND) * 1_000))
        const result = await forger.ask('flood', { host, port: udp, rate: SOURCES_PER_SECOND, ms, bytes: BYTES })
        forged += result.sources
      }
    }
    const play = async () => {
      while (more()) {
        const [{ sent, lost, p99 }, newcomer] = await Promise.all([
          echo(1_000),
          load.ask('firstDatagram', { host, port: udp, source: '127.0.200.1', againMs: AGAIN_MS }),
        ])
        meanwhile.sent += sent
        meanwhile.lost += lost
        meanwhile.p99.push(p99)
        meanwhile.newcomers++
        if (newcomer !== undefined) meanwhile.answered++
      }
    }
    await Promise.all([forge(), play()])
    const seconds = ((performance.now() - start) / 1_000).toFixed(0)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const after = await resident()
    const growth = (side) => (after[side] - before[side]) / MEGABYTE
    const loss = (meanwhile.lost / Math.max(1, meanwhile.sent)) * 100
    return [
      ...['relay', 'agent'].map((side) => ({
        title: `${forged.toLocaleString('en')} spoofed sources: memory of the ${side}, added`,
        unit: 'MB',
        better: 'lower',
        values: { tls: growth(side) },
        goals: [atMost(growth(side), 20, '+ < 20 MB')],
      })),
      {
        title: 'meanwhile: what present players lose',
        unit: '%',
        better: 'lower',
        values: { tls: loss },
        goals: [atMost(loss, 1, '< 1 %')],
        notes: [
          `${forged.toLocaleString('en')} sources in 127.0.0.0/8, one datagram each, in ${seconds} s${quick ? '' : `, ${SOURCES_PER_SECOND.toLocaleString('en')} a second wanted`}`,
          `${PLAYERS} players, ${PER_PLAYER_PER_SECOND} datagrams a second each: p99 ${calm.p99.toFixed(2)} ms before, ${median(meanwhile.p99).toFixed(2)} ms meanwhile (median of seconds)`,
          `new players meanwhile: ${meanwhile.answered} of ${meanwhile.newcomers} answered within 2 s of their first datagram, which they repeat every ${AGAIN_MS} ms`,
        ],
      },
    ]
  },
}
