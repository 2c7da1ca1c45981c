import type { Agent } from '../../agent-types.js'
import type { ControlAllocation, StateMessage } from '../../control/control.js'
import type { ControlChannel } from '../../control/control-channel-types.js'
import { reportConnection } from '../panel/connection-report.js'
import type { Output } from '../terminal/output.js'
import { showAddress, showTunnel } from '../tunnels/target.js'

export interface RunReportOptions {
  agent: Agent
  channel: ControlChannel
  output: Output
  /** The panel's URL as people know it. */
  panel: string
}

/** Puts what agent and channel do into lines, one for each event. */
export function reportRun({ agent, channel, output, panel }: RunReportOptions): void {
  const tunnels = new Map<number, { shown: string; allocation: ControlAllocation }>()
  const links = new Map<string, string>()
  const unencrypted = new Set<string>()
  reportConnection({ channel, output, panel, who: 'agent' })
  channel.on('state', showTunnels)
  channel.on('state', ({ relays }) => {
    for (const { id, encryption } of relays) {
      if (encryption !== 'off') unencrypted.delete(id)
      else if (!unencrypted.has(id)) {
        unencrypted.add(id)
        const detail = `relay ${id} is without encryption: what players send can be read on its way`
        output.notice('unencrypted', detail)
      }
    }
  })

  function showTunnels(state: StateMessage): void {
    const present = new Set<number>()
    for (const allocation of state.allocations) {
      present.add(allocation.id)
      const shown = `${showTunnel(allocation)}${isServing(allocation.status) ? '' : ` (${allocation.status})`}`
      if (tunnels.get(allocation.id)?.shown === shown) continue
      tunnels.set(allocation.id, { shown, allocation })
      output.event('tunnel', shown, { allocation })
    }
    for (const [id, { allocation }] of tunnels) {
      if (present.has(id)) continue
      tunnels.delete(id)
      output.event('tunnel_removed', `removed: ${showTunnel(allocation)}`, { allocationId: id })
    }
  }

  agent.on('link', ({ relayId, connected, error }) => {
    const key = connected ? 'connected' : `${error ?? ''}`
    if (links.get(relayId) === key) return
    const wasConnected = links.get(relayId) === 'connected'
    links.set(relayId, key)
    const reason = error === undefined ? '' : ` (${error})`
    if (connected) output.event('link', `linked to relay ${relayId}`, { relayId, connected })
    else {
      const message = wasConnected
        ? `the link to relay ${relayId} is lost${reason}`
        : `no link to relay ${relayId}${reason}`
      output.event('link', `${message}; trying on`, { relayId, connected, ...(error === undefined ? {} : { error }) })
    }
  })
  agent.on('rejected', ({ allocationId, protocol, target, error }) => {
    const address = showAddress(target.host, target.port)
    const message =
      error === 'target_forbidden'
        ? `refused: the panel asks for ${protocol} ${address}, which this agent may not dial (--allow ${address} would let it)`
        : `players cannot be served: ${protocol} ${address}: ${WORDS[error]}`
    output.event('rejected', message, { allocationId, protocol, target, error })
  })
  agent.on('recovered', ({ allocationId }) => {
    const tunnel = tunnels.get(allocationId)
    output.event('recovered', `served again: ${tunnel ? tunnel.shown : `allocation ${allocationId}`}`, { allocationId })
  })
  agent.on('connection', (connection) => output.debug(`connection ${connection.phase}`, { ...connection }))
}

const WORDS = {
  target_refused: 'nothing listens there (is the service running?)',
  target_unreachable: 'no such host, or no route to it',
  target_timeout: 'no answer in time',
  target_forbidden: 'not allowed here',
  agent_busy: 'this agent has too many connections',
} as const

/** 'pending' passes by itself and is not worth a line of its own. */
function isServing(status: string): boolean {
  return status === 'open' || status === 'pending'
}
