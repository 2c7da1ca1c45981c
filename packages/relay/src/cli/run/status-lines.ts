import type { AgentLinkStatus, AgentRefusal } from '../../agent-types.js'
import type { ControlAllocation } from '../../control/control.js'
import { describeLinkError } from '../../link/link-failure.js'
import type { Line, Span } from '../terminal/live-area.js'
import type { Style } from '../terminal/style.js'
import { count, renderTable, showBytes } from '../terminal/table.js'
import { showAddress } from '../tunnels/target.js'
import type { Rate } from './rates.js'
import { type RunBoard, troubleOf } from './run-board.js'
import { REFUSAL_WORDS } from './run-report.js'

export interface RunStatus {
  board: RunBoard
  links: readonly AgentLinkStatus[]
  refusals: readonly AgentRefusal[]
  rates: ReadonlyMap<number, Rate>
}

const HEAD = ['', 'PUBLIC', 'LOCAL', 'PLAYERS', 'IN', 'OUT']
const RIGHT = [3, 4, 5]

/** The status of an agent for people: panel, relays, tunnels, what is wrong with them. */
export function statusLines(status: RunStatus, style: Style): Line[] {
  const { board, links } = status
  return [
    [],
    panelLine(board, style),
    ...links.map((link) => linkLine(link, board, style)),
    ...tunnelLines(status, style),
  ]
}

/** The same in a few words. */
export function statusSummary({ board, links }: Omit<RunStatus, 'rates' | 'refusals'>): string {
  const up = links.filter(({ connected }) => connected).length
  const tunnels = board.allocations.size
  return `${PANEL_WORDS[board.panelState]} (${board.panel}), ${up} of ${count(links.length, 'relay')} linked, ${count(tunnels, 'tunnel')}`
}

function panelLine({ panel, panelState, panelTrouble, device }: RunBoard, style: Style): Line {
  const label = { text: 'panel   ', paint: style.dim }
  if (panelState === 'connected') {
    return [label, { text: panel }, { text: '  connected', paint: style.green }, { text: ` as ${device}` }]
  }
  const trouble = panelState === 'lost' && panelTrouble !== '' ? ` (${panelTrouble})` : ''
  const paint = panelState === 'connecting' ? style.dim : style.yellow
  return [label, { text: panel }, { text: `  ${PANEL_WORDS[panelState]}${trouble}`, paint }]
}

const PANEL_WORDS = {
  connected: 'connected',
  connecting: 'connecting',
  lost: 'no connection, trying on',
  waiting: 'tunnels are switched off there, waiting',
  replaced: "another agent has this device's place, waiting",
} as const

function linkLine(link: AgentLinkStatus, { relayNames, linkTroubles }: RunBoard, style: Style): Line {
  const { relayId, host, port, connected, encryption, proxied, rttMs } = link
  const head: Span[] = [
    { text: 'relay   ', paint: style.dim },
    { text: relayNames.get(relayId) ?? relayId },
    { text: `  ${showAddress(host, port)}`, paint: style.dim },
  ]
  if (!connected) {
    const trouble = linkTroubles.get(relayId)
    const reason = trouble === undefined || trouble === '' ? '' : ` (${describeLinkError(trouble)})`
    return [
      ...head,
      { text: trouble === undefined ? '  connecting' : `  no link${reason}, trying on`, paint: style.yellow },
    ]
  }
  return [
    ...head,
    { text: '  linked', paint: style.green },
    ...(rttMs === undefined ? [] : [{ text: `  ${showMs(rttMs)}` }]),
    encryption === 'tls' ? { text: '  TLS', paint: style.dim } : { text: '  not encrypted', paint: style.yellow },
    ...(proxied ? [{ text: '  by proxy', paint: style.dim }] : []),
  ]
}

function tunnelLines({ board, links, refusals, rates }: RunStatus, style: Style): Line[] {
  if (board.allocations.size === 0) {
    return board.panelState === 'connected' ? [[{ text: 'no tunnels yet', paint: style.dim }]] : []
  }
  const linked = new Set(links.flatMap(({ connected, relayId }) => (connected ? [relayId] : [])))
  const refused = new Map(refusals.map((refusal) => [refusal.allocationId, refusal]))
  const tunnels = [...board.allocations.values()]
    .map((allocation) => ({
      trouble: troubleOf(allocation, linked.has(allocation.relayId)) ?? refusalWords(refused.get(allocation.id)),
      cells: cellsOf(allocation, rates.get(allocation.id)),
    }))
    // What is wrong is seen first, also when there is no room for all.
    .sort((one, other) => Number(one.trouble === undefined) - Number(other.trouble === undefined))
  const cells = tunnels.map((tunnel) => tunnel.cells)
  const [head = '', ...rows] = renderTable(HEAD, cells, RIGHT).split('\n')
  return [
    [],
    [{ text: head, paint: style.dim }],
    ...tunnels.flatMap(({ trouble }, index): Line[] => {
      const text = rows[index] ?? ''
      if (trouble === undefined) return [[{ text }]]
      const [paint, loud] = trouble === 'closed' ? [style.dim, style.dim] : [style.yellow, style.red]
      return [[{ text, paint }], [{ text: `     ${trouble}`, paint: loud }]]
    }),
  ]
}

function cellsOf(allocation: ControlAllocation, rate: Rate | undefined): string[] {
  const { protocol, host, port, localHost, localPort } = allocation
  return [
    protocol,
    showAddress(host, port),
    showAddress(localHost, localPort),
    String(rate?.open ?? 0),
    showRate(rate?.inPerSecond),
    showRate(rate?.outPerSecond),
  ]
}

function refusalWords(refusal: AgentRefusal | undefined): string | undefined {
  if (refusal === undefined) return undefined
  if (refusal.error !== 'target_forbidden') return REFUSAL_WORDS[refusal.error]
  return `not allowed here (--allow ${showAddress(refusal.target.host, refusal.target.port)} would let it)`
}

function showRate(perSecond: number | undefined): string {
  return perSecond === undefined || perSecond < 1 ? '-' : `${showBytes(Math.round(perSecond))}/s`
}

function showMs(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`
}
