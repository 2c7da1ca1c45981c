import t, { type Test } from 'tap'
import { until } from '../support.js'
import { DatagramPlayer, type Door, StreamingPlayer, visit } from './players.js'
import { startWorld, TCP, UDP } from './world.js'

const STREAMS = 50
const DATAGRAM_PLAYERS = 20
/** Of each player, beyond what it sends during the handover: what is under way while the agent links to the successor. */
const MAX_LOST_EACH = 10

/** Comes again and again until stopped. */
function visitors(t: Test, door: Door): () => Promise<{ bytes: number; visits: number; refused: string[] }> {
  const refused: string[] = []
  let bytes = 0
  const visits: Promise<void>[] = []
  const timer = setInterval(() => {
    visits.push(
      visit(t, door).then(
        (passed) => {
          bytes += passed
        },
        (error: unknown) => void refused.push(String(error)),
      ),
    )
  }, 10)
  return async () => {
    clearInterval(timer)
    await Promise.all(visits)
    return { bytes, visits: visits.length, refused }
  }
}

for (const times of [1, 2])
  t.test(
    `handed over ${times} times under load, nobody is cut or refused and all is counted`,
    { timeout: 60_000 },
    async (t) => {
      const { line, tcp, udp } = await startWorld(t)
      const epoch = await line.ask<string>(0, 'epoch')
      const streams = Array.from({ length: STREAMS }, () => new StreamingPlayer(t, tcp))
      const datagrams = Array.from({ length: DATAGRAM_PLAYERS }, () => new DatagramPlayer(t, udp))
      const endVisits = visitors(t, tcp)
      await until(() => streams.every(({ receivedBytes }) => receivedBytes > 20_000), 'the streams')
      await until(() => datagrams.every(({ received }) => received.size > 10), 'the datagrams')
      const generations: number[] = []
      const mayLose: number[] = []
      for (let generation = 0; generation < times; generation += 1) {
        const sent = datagrams.map((player) => player.sent)
        await line.ask(generation, 'handOver')
        generations.push(generation)
        datagrams.forEach((player, at) => {
          mayLose[at] = (mayLose[at] ?? 0) + player.sent - (sent[at] ?? 0) + MAX_LOST_EACH
        })
        const seen = streams.map(({ receivedBytes }) => receivedBytes)
        const heard = datagrams.map(({ received }) => received.size)
        await until(
          () => streams.every(({ receivedBytes }, at) => receivedBytes > (seen[at] ?? 0) + 20_000),
          'streams on',
        )
        await until(() => datagrams.every(({ received }, at) => received.size > (heard[at] ?? 0) + 10), 'datagrams on')
      }
      t.same(await line.ports(times), { tcp: tcp.port, udp: udp.port }, 'the same ports')
      t.equal(await line.ask(times, 'epoch'), epoch)
      const { bytes, visits, refused } = await endVisits()
      t.same(refused, [], `none of ${visits} visits is refused`)
      t.ok(visits > 20)
      const wrong = await Promise.all(streams.map((player) => player.end()))
      t.same(
        wrong.filter((what) => what !== undefined),
        [],
        'every stream is whole',
      )
      for (const player of datagrams) player.pause()
      const lost = () => datagrams.map((player) => player.lost)
      await until(() => lost().every((count, at) => count <= (mayLose[at] ?? 0))).catch(() =>
        t.fail(`lost datagrams: ${lost()} of ${mayLose}`),
      )
      await Promise.all(generations.map((generation) => line.ask(generation, 'stop', 5_000)))
      const all = streams.reduce((sum, { sentBytes }) => sum + sentBytes, bytes)
      await until(async () => (await line.traffic(times, TCP)).open === 0, 'nobody there')
      const { bytesIn, bytesOut, connections } = await line.traffic(times, TCP)
      t.same({ bytesIn, bytesOut, connections }, { bytesIn: all, bytesOut: all, connections: STREAMS + visits })
      const flows = await line.traffic(times, UDP)
      t.same([flows.connections, flows.open], [DATAGRAM_PLAYERS, DATAGRAM_PLAYERS], 'the same flows')
      const heard = () => datagrams.reduce((sum, { received }) => sum + received.size, 0)
      // Some may have been under way when it was asked.
      const answered = async () => (await line.traffic(times, UDP)).bytesOut
      await until(async () => (await answered()) === 64 * heard(), 'every answer that was sent is heard')
    },
  )
