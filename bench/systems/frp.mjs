import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { found, missing } from './found.mjs'
import { residentOf } from './resident.mjs'

/** In the clear, a connection for each player and the largest pool of ready ones that the server takes by default. */
export const frp = {
  title: 'frp',
  missing: () => missing('frps', 'frpc'),
  async start({ stage, relaySide, agentSide, target }) {
    const [control, tcp, udp] = await Promise.all([1, 2, 3].map(stage.freePort))
    const directory = await stage.directory()
    const [server, client] = [join(directory, 'frps.toml'), join(directory, 'frpc.toml')]
    writeFileSync(
      server,
      `bindAddr = "${relaySide.bind}"
bindPort = ${control}
transport.tcpMux = false
log.level = "error"
`,
    )
    writeFileSync(
      client,
      `serverAddr = "${relaySide.address}"
serverPort = ${control}
transport.tcpMux = false
transport.poolCount = 5
transport.tls.enable = false
log.level = "error"
[[proxies]]
name = "tcp"
type = "tcp"
localIP = "127.0.0.1"
localPort = ${target.tcp}
remotePort = ${tcp}
[[proxies]]
name = "udp"
type = "udp"
localIP = "127.0.0.1"
localPort = ${target.udp}
remotePort = ${udp}
`,
    )
    const relay = await stage.program(found('frps'), ['-c', server], relaySide)
    const agent = await stage.program(found('frpc'), ['-c', client], agentSide)
    const resident = async () => ({ relay: residentOf(relay.pid), agent: residentOf(agent.pid) })
    return { tcp, udp, host: relaySide.address, resident }
  },
}
