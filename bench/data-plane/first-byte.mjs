import { median, quantile } from '../median.mjs'
import { peers } from '../systems/systems.mjs'
import { atMost } from './compare.mjs'
import { interleaved, lineUp } from './line-up.mjs'
import { linkMissing, startLink } from './link.mjs'

const ONE_WAY_MS = 20
/** Players come one by one, so far apart that each finds a relay at rest; and then so many at once. */
const APART_MS = 250
const AT_ONCE = 20

export const firstByte = {
  about: 'first byte for a new player at 40 ms RTT between relay and agent',
  async run(context) {
    const { stage, quick, skip } = context
    const why = linkMissing()
    if (why) {
      skip('first-byte', why)
      return []
    }
    const { a, b } = await startLink(stage, { delayMs: ONE_WAY_MS })
    const lined = await lineUp(context, ['direct', 'plain', 'tls', 'nginx', ...peers], { relaySide: a, agentSide: b })
    const direct = lined.players.find(({ name }) => name === 'direct')
    const { p50: pathUs } = await direct.load.ask('roundTrips', { host: direct.host, port: direct.tcp, count: 40 })
    const path = pathUs / 1_000
    const players = await Promise.all(
      lined.players.map(async (player) => {
        const udp = player.udp !== undefined && (await first(player)) !== undefined
        return { ...player, takesUdp: udp }
      }),
    )
    const rounds = quick ? 5 : 25
    const tcp = await interleaved(players, rounds, async ({ load, host, tcp }) => {
      await pause(APART_MS / players.length)
      return load.ask('firstByte', { host, port: tcp })
    })
    const able = players.filter(({ takesUdp }) => takesUdp)
    const udp = await interleaved(able, rounds, async (player) => {
      await pause(APART_MS / able.length)
      return first(player)
    })
    const burst = await interleaved(players, quick ? 1 : 3, async ({ load, host, tcp }) => {
      await pause(1_000)
      return median(await load.ask('firstBytes', { host, port: tcp, count: AT_ONCE }))
    })
    const row = (title, samples, goals) => ({
      title,
      unit: 'ms',
      better: 'lower',
      values: mapValues(samples, median),
      goals,
      notes: [
        `the path itself is ${path.toFixed(2)} ms (64 B round trip between the namespaces); delay by a user-space TUN link`,
        `${title}, slowest: ${Object.entries(mapValues(samples, (times) => quantile(times, 1)))
          .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`)
          .join(', ')}`,
      ],
    })
    const added = (samples, name) => samples[name] && median(samples[name]) - path
    return [
      row('first byte for a new player, TCP, 40 ms RTT', tcp, [
        atMost(added(tcp, 'tls'), 2, 'TLS ≤ path + 2 ms'),
        atMost(added(tcp, 'plain'), 2, 'plain ≤ path + 2 ms'),
      ]),
      row('first datagram for a new player, UDP', udp, [atMost(added(udp, 'tls'), 2, 'encrypted ≤ path + 2 ms')]),
      row(`first byte for each of ${AT_ONCE} who come at once, TCP`, burst, []),
    ]
  },
}

function first({ load, host, udp }) {
  return load.ask('firstDatagram', { host, port: udp })
}

function mapValues(samples, of) {
  return Object.fromEntries(
    Object.entries(samples)
      .map(([name, values]) => [name, values.filter((value) => value !== undefined)])
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [name, of(values)]),
  )
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
