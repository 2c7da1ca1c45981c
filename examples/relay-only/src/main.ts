// Everything at once, on this machine: a game, a relay, the agent between them, and a player who comes through both.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { watchCounts } from './counts.js'
import { startGame } from './game.js'
import { chat, move } from './player.js'
import { aborted, runProgram } from './program.js'
import { startAgent } from './start-agent.js'
import { startRelay } from './start-relay.js'
import { UsageError } from './tunnel.js'

const playSeconds = 5
const host = '127.0.0.1'

await runProgram(async (signal) => {
  const { values } = parseArgs({ options: { seconds: { type: 'string' } } })
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
  if (seconds !== undefined && !(seconds > 0 && seconds <= 86_400)) throw new UsageError('--seconds must be 1 to 86400')

  const game = await startGame()
  const secret = randomBytes(32)
  const relay = await startRelay({
    ...{ bindHost: host, publicHost: 'localhost', dataPort: 0, secret },
    tunnels: [
      { protocol: 'tcp', port: 0, localPort: game.tcpPort },
      { protocol: 'udp', port: 0, localPort: game.udpPort },
    ],
  })
  const agent = startAgent({ host, port: relay.dataPort, fingerprint: relay.fingerprint ?? '', secret })
  await new Promise<void>((resolve) => {
    agent.on('link', ({ connected }) => connected && resolve())
    signal.addEventListener('abort', () => resolve())
  })

  const [tcp = 0, udp = 0] = relay.status().allocations.map(({ port }) => port)
  console.log(`game on ${game.tcpPort}/tcp and ${game.udpPort}/udp of this machine, which nobody outside reaches`)
  console.log(`relay ready: players join at localhost:${tcp} (TCP) and localhost:${udp} (UDP)`)
  const off = watchCounts(relay)
  const playing = new AbortController()
  const leave = (): void => playing.abort()
  const timer = setTimeout(leave, (seconds ?? playSeconds) * 1_000)
  signal.addEventListener('abort', leave)
  const [heard, answers] = await Promise.all([chat(host, tcp, playing.signal), move(host, udp, playing.signal)])
  clearTimeout(timer)
  console.log(
    `a player heard ${heard.length} lines, from '${heard.at(0)}' to '${heard.at(-1)}', and ${answers} answers by UDP`,
  )

  if (seconds === undefined && !signal.aborted) {
    console.log(`Join it yourself: nc localhost ${tcp}. Ctrl-C ends it.`)
    await aborted(signal)
  }
  off()
  await agent.stop()
  await relay.stop()
  await game.close()
})
