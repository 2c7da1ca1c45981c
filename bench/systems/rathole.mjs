import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { found, missing } from './found.mjs'
import { residentOf } from './resident.mjs'

export const rathole = {
  title: 'rathole',
  missing: () => missing('rathole'),
  async start({ stage, relaySide, agentSide, target }) {
    const [control, tcp, udp] = await Promise.all([1, 2, 3].map(stage.freePort))
    const directory = await stage.directory()
    const [server, client] = [join(directory, 'server.toml'), join(directory, 'client.toml')]
    writeFileSync(
      server,
      `[server]
bind_addr = "${relaySide.bind}:${control}"
default_token = "bench"
[server.services.tcp]
bind_addr = "${relaySide.bind}:${tcp}"
[server.services.udp]
type = "udp"
bind_addr = "${relaySide.bind}:${udp}"
`,
    )
    writeFileSync(
      client,
      `[client]
remote_addr = "${relaySide.address}:${control}"
default_token = "bench"
[client.services.tcp]
local_addr = "127.0.0.1:${target.tcp}"
[client.services.udp]
type = "udp"
local_addr = "127.0.0.1:${target.udp}"
`,
    )
    const relay = await stage.program(found('rathole'), ['--server', server], relaySide)
    const agent = await stage.program(found('rathole'), ['--client', client], agentSide)
    const resident = async () => ({ relay: residentOf(relay.pid), agent: residentOf(agent.pid) })
    return { tcp, udp, host: relaySide.address, resident }
  },
}
