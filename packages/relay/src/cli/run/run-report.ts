import type { Agent, AgentRefusal, RejectError } from '../../agent-types.js'
import type { ControlAllocation, StateMessage } from '../../control/control.js'
import type { ControlChannel } from '../../control/control-channel-types.js'
import { describeLinkError } from '../../link/link-failure.js'
import { reportConnection } from '../panel/connection-report.js'
import type { Allocation } from '../panel/panel-answers.js'
import type { Output } from '../terminal/output.js'
import { showAddress, showTunnel } from '../tunnels/target.js'
import { type RunBoard, troubleOf } from './run-board.js'

export interface RunReportOptions {
  agent: Agent
  output: Output
  board: RunBoard
  /** This side asks for such a tunnel. */
  isWished: (tunnel: ControlAllocation) => boolean
}

/** Puts what an agent does into lines, one for each event, and onto the board. */
export interface RunReport {
  /** Of this channel too; `board.panel` names its panel. */
  follow(channel: ControlChannel): void
  /** An allocation that was asked for; what is said here is not said again when the panel's state brings it. */
  made(allocation: Allocation): void
}

const MISSED_AFTER_MS = 300

export function createRunReport({ agent, output, board, isWished }: RunReportOptions): RunReport {
  const told = new Map<number, { shown: string; trouble: string | undefined; allocation: ControlAllocation }>()
  /** Made, and not yet in a state. */
  const announced = new Map<number, string>()
  const links = new Map<string, string>()
  /** Links that are down, and not yet said to be. */
  const missing = new Map<string, NodeJS.Timeout>()
  const unencrypted = new Set<string>()

  function showTunnels(state: StateMessage): void {
    board.allocations = new Map(state.allocations.map((allocation) => [allocation.id, allocation]))
    for (const allocation of board.allocations.values()) showOne(allocation)
    for (const [id, { allocation }] of told) {
      if (board.allocations.has(id)) continue
      told.delete(id)
      const rest = isWished(allocation)
        ? ' (the configuration or --local-port still asks for it: it is made again at the next start)'
        : ''
      output.event('tunnel_removed', `removed: ${showTunnel(allocation)}${rest}`, { allocationId: id })
    }
  }

  function showOne(allocation: ControlAllocation): void {
    const { id } = allocation
    const shown = showTunnel(allocation)
    // One that is down for a moment is not said to be, nor are its tunnels.
    const trouble = troubleOf(allocation, links.get(allocation.relayId) === 'connected')
    const before = told.get(id)
    told.set(id, { shown, trouble, allocation })
    const isAnnounced = announced.get(id) === shown && trouble === undefined
    announced.delete(id)
    if (before?.shown === shown && before.trouble === trouble) return
    if (isAnnounced && !output.json) return
    output.event('tunnel', trouble === undefined ? shown : `${shown} (${trouble})`, { allocation })
  }

  function showTunnelsOf(relayId: string): void {
    for (const allocation of board.allocations.values()) if (allocation.relayId === relayId) showOne(allocation)
  }

  function nameOf(relayId: string): string {
    return board.relayNames.get(relayId) ?? relayId
  }

  function showRelays({ relays }: StateMessage): void {
    board.relayNames = new Map(relays.flatMap(({ id, name }) => (name ? [[id, name]] : [])))
    for (const { id, encryption } of relays) {
      if (encryption !== 'off') unencrypted.delete(id)
      else if (!unencrypted.has(id)) {
        unencrypted.add(id)
        const detail = `relay ${nameOf(id)} is without encryption: what players send can be read on its way`
        output.notice('unencrypted', detail)
      }
    }
  }

  function linkUp(relayId: string): void {
    const fields = { relayId, connected: true }
    const wasUp = links.get(relayId) === 'connected'
    links.set(relayId, 'connected')
    board.linkTroubles.delete(relayId)
    // Back before it was missed, or moved.
    if (wasUp) output.debug(`linked to relay ${nameOf(relayId)} again`, fields)
    else output.event('link', `linked to relay ${nameOf(relayId)}`, fields)
    showTunnelsOf(relayId)
  }

  function linkDown(relayId: string, error: string): void {
    const reason = error === '' ? '' : ` (${describeLinkError(error)})`
    const before = links.get(relayId)
    const isLeft = !agent.links().some((link) => link.relayId === relayId)
    if (isLeft) {
      links.delete(relayId)
      board.linkTroubles.delete(relayId)
    } else {
      links.set(relayId, error)
    }
    if (before === error) return
    const relay = nameOf(relayId)
    const what = before === 'connected' ? `the link to relay ${relay} is lost` : `no link to relay ${relay}`
    const fields = { relayId, connected: false, ...(error === '' ? {} : { error }) }
    // Ours to end, or with whoever took over at the panel, which was said.
    const isNoNews = isLeft || board.stopping || board.panelState === 'replaced'
    if (isNoNews) output.debug(`${what}${reason}`, fields)
    else {
      output.event('link', `${what}${reason}; trying on`, fields)
      showTunnelsOf(relayId)
    }
  }

  agent.on('link', ({ relayId, connected, error = '' }) => {
    clearTimeout(missing.get(relayId))
    missing.delete(relayId)
    if (connected) {
      linkUp(relayId)
      return
    }
    board.linkTroubles.set(relayId, error)
    // To the same relay's new process: no more than a moment, unless the next link fails.
    if (error === 'moved') return
    const say = () => {
      missing.delete(relayId)
      linkDown(relayId, error)
    }
    if (links.get(relayId) !== 'connected') say()
    // The panel may be about to say why, or the relay be back.
    else missing.set(relayId, setTimeout(say, MISSED_AFTER_MS).unref())
  })
  agent.on('rejected', ({ allocationId, protocol, target, error }) => {
    const refusal = { allocationId, protocol, target, error }
    output.event('rejected', describeRefusal(refusal), refusal)
  })
  agent.on('recovered', ({ allocationId }) => {
    const tunnel = told.get(allocationId)
    const message = `served again: ${tunnel ? tunnel.shown : `allocation ${allocationId}`}`
    output.event('recovered', message, { allocationId })
  })
  agent.on('connection', (connection) => output.debug(`connection ${connection.phase}`, { ...connection }))

  return {
    follow(channel) {
      const { panel } = board
      board.panelState = 'connecting'
      channel.on('connected', ({ name }) => {
        board.panelState = 'connected'
        board.panelTrouble = ''
        board.device = name
      })
      channel.on('disconnected', ({ detail }) => {
        board.panelState = 'lost'
        board.panelTrouble = detail
      })
      channel.on('waiting', () => {
        board.panelState = 'waiting'
      })
      channel.on('replaced', () => {
        board.panelState = 'replaced'
      })
      reportConnection({ channel, output, panel, who: 'agent' })
      channel.on('state', showTunnels)
      channel.on('state', showRelays)
    },
    made(allocation) {
      const shown = showTunnel(allocation)
      const isTold = told.get(allocation.id)?.shown === shown
      if (!isTold) announced.set(allocation.id, shown)
      if (!isTold || output.json) output.event('allocation_made', `made the tunnel ${shown}`, { allocation })
    },
  }
}

export function describeRefusal({ protocol, target, error }: Omit<AgentRefusal, 'relayId'>): string {
  const address = showAddress(target.host, target.port)
  return error === 'target_forbidden'
    ? `refused: the panel asks for ${protocol} ${address}, which this agent may not dial (--allow ${address} would let it)`
    : `players cannot be served: ${protocol} ${address}: ${REFUSAL_WORDS[error]}`
}

export const REFUSAL_WORDS: Readonly<Record<RejectError, string>> = {
  target_refused: 'nothing listens there (is the service running?)',
  target_unreachable: 'no such host, or no route to it',
  target_timeout: 'no answer in time',
  target_forbidden: 'not allowed here',
  agent_busy: 'this agent has too many connections',
}
