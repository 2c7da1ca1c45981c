import { found, missing } from './found.mjs'
import { residentOf } from './resident.mjs'

/** Encrypted: everything goes through one SSH connection. */
export const chisel = {
  title: 'chisel',
  missing: () => missing('chisel'),
  async start({ stage, relaySide, agentSide, target }) {
    const [control, tcp, udp] = await Promise.all([1, 2, 3].map(stage.freePort))
    const relay = await stage.program(
      found('chisel'),
      ['server', '--reverse', '--host', relaySide.bind, '--port', String(control)],
      relaySide,
    )
    const agent = await stage.program(
      found('chisel'),
      [
        'client',
        '--max-retry-interval',
        '1s',
        `http://${relaySide.address}:${control}`,
        `R:${relaySide.bind}:${tcp}:127.0.0.1:${target.tcp}`,
        `R:${relaySide.bind}:${udp}:127.0.0.1:${target.udp}/udp`,
      ],
      agentSide,
    )
    const resident = async () => ({ relay: residentOf(relay.pid), agent: residentOf(agent.pid) })
    return { tcp, udp, host: relaySide.address, resident }
  },
}
