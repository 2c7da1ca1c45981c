import { median } from '../median.mjs'
import { udpPeers } from '../systems/systems.mjs'
import { atMost, medians, pairedDifference } from './compare.mjs'
import { interleaved, lineUp } from './line-up.mjs'
import { linkMissing, startLink } from './link.mjs'
import { withUdpPlayers } from './udp-echo.mjs'

const LOSS = 0.02
const OTHERS = 49
const PER_PLAYER_PER_SECOND = 50
const BYTES = 100
/** Nothing is taken for lost that is only late. */
const LATE_MS = 500
/** One way between relay and agent, where the link between these two is the bad one. */
const FAR_MS = 10

export const udpLoss = {
  about: "one player's path loses 2 %: what the others see; and what all see when relay and agent's path does",
  limitSeconds: 200,
  async run(context) {
    const why = linkMissing()
    if (why) {
      context.skip('udp-loss', why)
      return []
    }
    return [...(await onePlayersPath(context)), ...(await relaysPath(context))]
  },
}

/** Relay, agent, service and 49 players on one side of the link, the 50th player on the other. */
async function onePlayersPath(context) {
  const { stage, quick, skip } = context
  const { a, b, lose } = await startLink(stage)
  const near = { ...a, address: '127.0.0.1' }
  const lined = await lineUp(context, ['direct', 'tls', 'nginx', ...udpPeers], {
    relaySide: near,
    agentSide: near,
    protocol: 'udp',
  })
  const players = await withUdpPlayers(lined.players, OTHERS, skip)
  for (const player of players) {
    player.far = await stage.start('load', [], b)
    await player.far.ask('udpPlayers', { host: a.address, port: player.udp, count: 1, source: b.address })
  }
  const echo = (load, count) =>
    load.ask('udpEcho', { rate: count * PER_PLAYER_PER_SECOND, ms: quick ? 500 : 1_500, bytes: BYTES, lateMs: LATE_MS })
  const both = async ({ load, far }) => {
    const [others, one] = await Promise.all([echo(load, OTHERS), echo(far, 1)])
    return { p99: others.p99, lost: others.lost, sent: others.sent, ones: one.loss }
  }
  const taken = await interleaved(players, quick ? 2 : 5, async (player) => {
    await lose(0)
    const good = await both(player)
    await lose(LOSS)
    return { good, bad: await both(player) }
  })
  const only = (pick) => Object.fromEntries(Object.entries(taken).map(([name, samples]) => [name, samples.map(pick)]))
  const [good, bad] = [only((sample) => sample.good.p99), only((sample) => sample.bad.p99)]
  const added = Object.fromEntries(
    Object.keys(taken).map((name) => [name, pairedDifference({ good: good[name], bad: bad[name] }, 'bad', 'good')]),
  )
  const lost = (which) => (name) => {
    const sum = (of) => taken[name].reduce((total, sample) => total + sample[which][of], 0)
    return (sum('lost') / sum('sent')) * 100
  }
  const names = Object.keys(taken)
  const lossOf = Object.fromEntries(names.map((name) => [name, lost('bad')(name)]))
  const ones = median(taken.tls.map(({ bad }) => bad.ones)) * 100
  return [
    {
      title: "one player's path loses 2 %: the others' p99, added",
      unit: 'ms',
      better: 'lower',
      values: added,
      goals: [atMost(added.tls, 1, 'encrypted: + < 1 ms')],
      notes: [
        'a player in a network namespace of its own behind a user-space TUN link that drops 2 % of its packets each way; 49 others, 50 datagrams of 100 B a second each; in turn without and with loss',
        `that player itself lost ${ones.toFixed(1)} % of its echoes; the others' p99 before: ${Object.entries(
          medians(good),
        )
          .map(([name, ms]) => `${name} ${ms.toFixed(2)} ms`)
          .join(
            ', ',
          )}; and they lost before: ${names.map((name) => `${name} ${lost('good')(name).toFixed(3)} %`).join(', ')}`,
      ],
    },
    {
      title: 'the same: what the others lose',
      unit: '%',
      better: 'lower',
      values: lossOf,
      goals: [atMost(lossOf.tls, 0, 'encrypted: nothing')],
    },
  ]
}

/** Players and relay on one side, agent and service on the other: every datagram may be lost, and none may wait for another. */
async function relaysPath(context) {
  const { stage, quick, skip } = context
  const { a, b, lose } = await startLink(stage, { delayMs: FAR_MS })
  const lined = await lineUp(context, ['direct', 'tls', 'nginx', ...udpPeers], {
    relaySide: a,
    agentSide: b,
    protocol: 'udp',
  })
  const players = await withUdpPlayers(lined.players, OTHERS, skip, { source: a.address })
  await lose(LOSS)
  const taken = await interleaved(players, quick ? 1 : 3, ({ load }) =>
    load.ask('udpEcho', {
      rate: OTHERS * PER_PLAYER_PER_SECOND,
      ms: quick ? 500 : 2_000,
      bytes: BYTES,
      lateMs: LATE_MS,
    }),
  )
  const only = (pick) =>
    medians(Object.fromEntries(Object.entries(taken).map(([name, samples]) => [name, samples.map(pick)])))
  return [
    {
      title: "relay and agent's path (20 ms RTT) loses 2 %: p99 of all",
      unit: 'ms',
      better: 'lower',
      values: only(({ p99 }) => p99),
      goals: [],
    },
    {
      title: 'the same: lost (2 % each way)',
      unit: '%',
      better: 'lower',
      values: only(({ loss }) => loss * 100),
      goals: [],
    },
  ]
}
